using GptOss.Constraints;
using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Sampling;

namespace GptOss.Chat;

/// <summary>
/// Holds one answer to its constraint and to its reasoning budget: says which tokens may come, dictates those that
/// nothing else could take the place of, and ends the reasoning when its budget is used up.
/// </summary>
internal sealed class TurnGuide : ITokenGuide
{
    private readonly TokenConstraint _turn;
    private readonly bool _hasForm;
    private readonly SparedTokens _spared;
    private readonly HarmonyParser _parser;
    private readonly int _budget;
    private ConstraintState _state;
    private int _used;
    private int _dictated;

    /// <param name="constraint">What the answer is held to.</param>
    /// <param name="start">Where the answer begins: behind the tokens that the prompt has of it.</param>
    /// <param name="budget">The most tokens of reasoning; null for no limit.</param>
    /// <param name="parser">A parser that has read the beginning of the answer, and that nothing else uses.</param>
    public TurnGuide(AnswerConstraint constraint, ConstraintState start, int? budget, HarmonyParser parser)
    {
        (_turn, Name) = (constraint.Turn, constraint.Name);
        (_hasForm, _spared) = (constraint.HasForm, constraint.Spared);
        _state = start;
        _budget = budget ?? int.MaxValue;
        _parser = parser;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Guidance Begin()
    {
        EndReasoning();
        return Here();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The token is not allowed; only a script chooses such a
    /// one.</exception>
    public Guidance After(int token)
    {
        bool wasReasoning = _parser.IsReasoning;
        _parser.Accept(token);
        if (!_turn.TryAdvance(_state, token, out _state))
            throw new InvalidOperationException($"{_turn.NameOf(token)} cannot come here: {Name} does not allow it.");
        if (_dictated > 0 && --_dictated > 0)
            return new();
        if (wasReasoning && _parser.IsReasoning)
            _used++;
        EndReasoning();
        return Here();
    }

    /// <inheritdoc/>
    public int CountAllowed(ReadOnlySpan<int> guess)
    {
        ConstraintState state = _state;
        int count = 0;
        while (count < guess.Length && _turn.TryAdvance(state, guess[count], out state))
            count++;
        return count;
    }

    // The step over the symbol that no token stands for leads to where only the end of the reasoning follows, which is
    // then dictated like everything that nothing else can take the place of.
    private void EndReasoning()
    {
        if (_parser.IsReasoning && _used >= _budget)
            _turn.TryStep(_state, TurnGrammar.EndOfReasoning - Markers.First, out _state);
    }

    private Guidance Here()
    {
        if (_state.IsComplete)
            return new();
        List<int> forced = _turn.ForcedRun(_state);
        _dictated = forced.Count;
        return forced.Count > 0
            ? new() { Dictated = forced }
            : new() { Allowed = Mask(), Spared = IsInForm ? _spared.Structure : _spared.Markers };
    }

    // Whatever was compiled can be completed from everywhere, so none of these is empty unless there is a defect.
    private TokenMask Mask() =>
        _turn.MaskOf(_state) is { Count: > 0 } mask
            ? mask
            : throw new InvalidOperationException(
                $"No token may come here by {Name}: this is a defect of GptOss; please report it with the schema."
            );

    private bool IsInForm =>
        _parser.Running is { } running && (running.IsCall || (_hasForm && running.TextChannel == Channel.Final));
}
