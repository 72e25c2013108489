using System.Text;
using GptOss.Constraints;

namespace GptOss.Harmony;

/// <summary>
/// The grammar of a turn of the assistant, from behind <c>&lt;|start|&gt;assistant</c> to the marker that ends it. What
/// a body is held to is called as a rule.
/// </summary>
/// <remarks>
/// <code>
/// turn      = reasoning* preamble* (final | call)          reasoning may also follow a preamble
/// reasoning = ⟨channel⟩ analysis ⟨message⟩ FREE ⟨end⟩ ⟨start⟩ assistant
/// preamble  = ⟨channel⟩ commentary ⟨message⟩ FREE ⟨end⟩ ⟨start⟩ assistant
/// final     = ⟨channel⟩ final ( ⟨constrain⟩ json)? ⟨message⟩ BODY ⟨return⟩
/// call      = ⟨channel⟩ commentary to=functions.NAME ( ⟨constrain⟩ json)? ⟨message⟩ ARGUMENTS ⟨call⟩
/// free call = ⟨channel⟩ commentary to=FREE ⟨message⟩ FREE (⟨call⟩ | ⟨return⟩), in the place of call
/// </code>
/// FREE are any bytes and no marker. A marker is a symbol of its own and never text, so text that spells one is text.
/// </remarks>
internal sealed class TurnGrammar
{
    private readonly List<NetState> _states = [];
    private readonly TurnPlan _plan;

    private TurnGrammar(TurnPlan plan) => _plan = plan;

    /// <summary>
    /// A symbol that no token stands for. Within reasoning it leads to where the reasoning has to end and none may
    /// follow: whoever limits the reasoning steps over it.
    /// </summary>
    public const int EndOfReasoning = Markers.First + 7;

    /// <summary>The ids of the markers, in the order of their symbols from <see cref="Markers.First"/> on.</summary>
    public static int[] MarkersOf(SpecialTokens special) =>
        [special.Start, special.Channel, special.Constrain, special.Message, special.End, special.Call, special.Return];

    private const int Start = Markers.First,
        Channel = Markers.First + 1,
        Constrain = Markers.First + 2,
        Message = Markers.First + 3,
        End = Markers.First + 4,
        Call = Markers.First + 5,
        Return = Markers.First + 6;

    /// <summary>The rule of a turn.</summary>
    public static Rule Of(TurnPlan plan)
    {
        var rule = new Rule("the turn");
        rule.Alternatives.Add(new TurnGrammar(plan).Build());
        return rule;
    }

    private NetShape Build()
    {
        // What ends the turn hangs on one header state, which both kinds of turn reach: the one that may reason, and
        // the one in which the reasoning has used up its budget.
        int turn = New(),
            endings = New(),
            last = New();
        AddEndings(endings);
        AddHeader(last, endings, hasReasoning: false, last);
        AddHeader(turn, endings, _plan.HasReasoning, last);
        return new NetShape(_states);
    }

    // The header states of a turn, and the messages after which the turn goes on.
    private void AddHeader(int turn, int endings, bool hasReasoning, int last)
    {
        int header = Symbol(turn, Channel);
        _states[header].Empty.Add(endings);
        if (hasReasoning)
        {
            int reasoning = AddMessage(header, ChannelNames.Analysis, turn);
            AddEnd(Symbol(reasoning, EndOfReasoning), last);
        }
        if (_plan.HasPreambles)
            AddMessage(header, ChannelNames.Commentary, turn);
        if (_plan.HasFreeCalls)
            AddFreeCall(header, turn);
    }

    // A recipient and a text of any words, which may end in each of the three ways; without a recipient it is a
    // preamble.
    private void AddFreeCall(int header, int turn)
    {
        AddMessage(header, ChannelNames.Commentary, turn);
        int recipient = Text(header, ChannelNames.Commentary + " to="),
            text = Symbol(recipient, Message);
        _states[recipient].Edges.Add(new NetEdge(Constrain, Constrain, recipient));
        _states[recipient].IsFree = true;
        _states[text].IsFree = true;
        AddEnd(text, turn);
        Finish(text, Call);
        Finish(text, Return);
    }

    // A message of free text behind which the turn goes on; returns the state within the text.
    private int AddMessage(int header, string channel, int next)
    {
        int text = Symbol(Text(header, channel), Message);
        _states[text].IsFree = true;
        AddEnd(text, next);
        return text;
    }

    private void AddEnd(int from, int next) =>
        _states[Text(Symbol(Symbol(from, End), Start), HarmonyRole.Assistant.Word())].Empty.Add(next);

    private void AddEndings(int header)
    {
        if (_plan.Final is { } final)
        {
            int body = AddType(Text(header, ChannelNames.Final), final.IsJson);
            if (final.Rule is null)
                _states[body].IsFree = true;
            Finish(final.Rule is null ? body : Rule(body, final.Rule), Return);
        }
        if (_plan.Calls.Count == 0)
            return;
        // The names share a tree, so that a thousand functions are one state at their common beginning.
        int first = Text(header, $"{ChannelNames.Commentary} to={ToolNames.FunctionsPrefix}");
        var tree = new Dictionary<(int State, int Rune), int>();
        foreach (TurnCall call in _plan.Calls)
        {
            int at = first;
            foreach (Rune rune in call.Function.EnumerateRunes())
            {
                if (!tree.TryGetValue((at, rune.Value), out int next))
                    tree[(at, rune.Value)] = next = Symbol(at, rune.Value);
                at = next;
            }
            Finish(Rule(AddType(at, isJson: true), call.Arguments), Call);
        }
    }

    // The end of a header, with a content type or without; returns the state behind it.
    private int AddType(int from, bool isJson)
    {
        int body = Symbol(from, Message);
        if (isJson)
            _states[Text(Symbol(Text(from, " "), Constrain), "json")].Edges.Add(new NetEdge(Message, Message, body));
        return body;
    }

    private void Finish(int from, int marker) => _states[Symbol(from, marker)].IsAccepting = true;

    private int Rule(int from, Rule rule)
    {
        int target = New();
        _states[from].Calls.Add((rule, target));
        return target;
    }

    private int Text(int from, string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
            from = Symbol(from, rune.Value);
        return from;
    }

    private int Symbol(int from, int symbol)
    {
        int target = New();
        _states[from].Edges.Add(new NetEdge(symbol, symbol, target));
        return target;
    }

    private int New()
    {
        _states.Add(new NetState());
        return _states.Count - 1;
    }
}
