using System.Text;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>
/// An item of an answer of Responses while the model writes it: makes the item's events, and the item itself at any
/// moment.
/// </summary>
/// <param name="id">Names the item in all of its events.</param>
/// <param name="send">Takes the events, of the type that is named.</param>
internal abstract class GrowingItem(string id, Action<string, ResponseEvent> send)
{
    /// <summary>An event without its type, number and place in the output, which the writer adds.</summary>
    protected static readonly ResponseEvent Blank = new() { Type = "", SequenceNumber = 0 };

    private readonly StringBuilder _text = new();

    /// <summary>Names the item in all of its events.</summary>
    protected string Id => id;

    /// <summary>All that was written so far.</summary>
    protected string Written => _text.ToString();

    /// <summary>Whether the item's part was announced, from where on the item has it.</summary>
    protected bool HasPart { get; private set; }

    /// <summary>The item as it is now.</summary>
    /// <param name="status">in_progress, completed or incomplete.</param>
    public abstract ResponseItem Now(string status);

    /// <summary>Announces the item, which has no content yet.</summary>
    public void Begin()
    {
        send("response.output_item.added", Blank with { Item = Now("in_progress") });
        BeginPart();
        HasPart = true;
    }

    /// <summary>Ends the item, and returns it.</summary>
    /// <param name="status">completed, or incomplete where a limit cut it.</param>
    public ResponseItem End(string status)
    {
        EndPart();
        ResponseItem item = Now(status);
        send("response.output_item.done", Blank with { Item = item });
        return item;
    }

    /// <summary>Announces the item's part, where it has one.</summary>
    protected virtual void BeginPart() { }

    /// <summary>Ends the item's part, or its input.</summary>
    protected abstract void EndPart();

    /// <summary>Adds to what was written, and sends the piece.</summary>
    protected void Append(string type, string delta, ResponseEvent about)
    {
        _text.Append(delta);
        Send(type, about with { Delta = delta });
    }

    /// <summary>Sends an event of the item.</summary>
    protected void Send(string type, ResponseEvent about) => send(type, about with { ItemId = id });
}

/// <summary>The model's reasoning, given as its own words or in the place of a summary.</summary>
/// <param name="id">Names the item in all of its events.</param>
/// <param name="send">Takes the events of the item.</param>
/// <param name="isSummary">Whether the client reads summaries: it gets the reasoning as one, and no words beside
/// it, since some clients show both.</param>
/// <param name="isEncrypted">Whether the client wants text that it can send back without reading it.</param>
internal sealed class GrowingReasoning(string id, Action<string, ResponseEvent> send, bool isSummary, bool isEncrypted)
    : GrowingItem(id, send)
{
    private readonly string _kind = isSummary ? "response.reasoning_summary_text" : "response.reasoning_text",
        _part = isSummary ? "response.reasoning_summary_part" : "response.content_part";

    private readonly ResponseEvent _place = isSummary
        ? Blank with
        {
            SummaryIndex = 0,
        }
        : Blank with
        {
            ContentIndex = 0,
        };

    public override ResponseItem Now(string status)
    {
        ResponsePart[] parts = HasPart ? [Part(Written)] : [];
        return new ReasoningItem
        {
            Id = Id,
            Status = status,
            Summary = isSummary ? parts : [],
            Content = isSummary ? null : parts,
            EncryptedContent = isEncrypted && status != "in_progress" ? SealedReasoning.Seal(Written) : null,
        };
    }

    /// <summary>Adds a piece of the reasoning.</summary>
    public void Add(string delta) => Append(_kind + ".delta", delta, _place);

    protected override void BeginPart() => Send(_part + ".added", _place with { Part = Part("") });

    protected override void EndPart()
    {
        Send(_kind + ".done", _place with { Text = Written });
        Send(_part + ".done", _place with { Part = Part(Written) });
    }

    private ResponsePart Part(string text) => isSummary ? new SummaryPart(text) : new ReasoningPart(text);
}

/// <summary>What the model says to the user.</summary>
/// <param name="id">Names the item in all of its events.</param>
/// <param name="send">Takes the events of the item.</param>
/// <param name="isPreamble">Whether it announces a call, and is not the answer yet.</param>
internal sealed class GrowingMessage(string id, Action<string, ResponseEvent> send, bool isPreamble)
    : GrowingItem(id, send)
{
    private static readonly ResponseEvent Place = Blank with { ContentIndex = 0 };

    private readonly List<WireProbability> _probabilities = [];

    /// <summary>Whether it announces a call, and is not the answer yet.</summary>
    public bool IsPreamble => isPreamble;

    public override ResponseItem Now(string status) =>
        new MessageItem
        {
            Id = Id,
            Status = status,
            Phase = isPreamble ? "commentary" : "final_answer",
            Content = HasPart ? [new TextPart(Written, [.. _probabilities])] : [],
        };

    /// <summary>Adds a piece of the text with the probabilities of its tokens.</summary>
    public void Add(string delta, IReadOnlyList<WireProbability> probabilities)
    {
        _probabilities.AddRange(probabilities);
        Append("response.output_text.delta", delta, Place with { Logprobs = probabilities });
    }

    protected override void BeginPart() =>
        Send("response.content_part.added", Place with { Part = new TextPart("", []) });

    protected override void EndPart()
    {
        Send("response.output_text.done", Place with { Text = Written, Logprobs = _probabilities });
        Send("response.content_part.done", Place with { Part = new TextPart(Written, _probabilities) });
    }
}

/// <summary>A call of a function, or of a tool that takes plain text.</summary>
/// <param name="id">Names the item in all of its events.</param>
/// <param name="send">Takes the events of the item.</param>
/// <param name="call">The beginning of the call.</param>
/// <param name="tool">The tool as the request offers it; null for one that it does not offer.</param>
internal sealed class GrowingCall(
    string id,
    Action<string, ResponseEvent> send,
    ReplyEvent.CallStarted call,
    AskedTool? tool
) : GrowingItem(id, send)
{
    private string Name => tool?.BareName ?? call.Name;

    private string Kind => call.IsFreeform ? "response.custom_tool_call_input" : "response.function_call_arguments";

    public override ResponseItem Now(string status) =>
        call.IsFreeform
            ? new FreeformCallItem
            {
                Id = Id,
                Status = status,
                CallId = call.Id,
                Name = Name,
                Namespace = tool?.Namespace,
                Input = Written,
            }
            : new CallItem
            {
                Id = Id,
                Status = status,
                CallId = call.Id,
                Name = Name,
                Namespace = tool?.Namespace,
                Arguments = Written,
            };

    /// <summary>Adds a piece of the input.</summary>
    public void Add(string delta) => Append(Kind + ".delta", delta, Blank);

    protected override void EndPart() =>
        Send(
            Kind + ".done",
            call.IsFreeform ? Blank with { Input = Written } : Blank with { Name = Name, Arguments = Written }
        );
}
