using GptOss.Generation;
using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>
/// Limits the reasoning of one answer: counts its tokens, and when the budget is used up it dictates the tokens that
/// close the reasoning and begin the final message.
/// </summary>
internal sealed class ReasoningBudget : ITokenGuide
{
    private readonly int _budget;
    private readonly HarmonyParser _parser;
    private readonly int[] _closing;
    private int _used;
    private int _dictated;

    /// <param name="budget">The most tokens of reasoning.</param>
    /// <param name="special">The ids of Harmony's markers.</param>
    /// <param name="parser">A parser that has read the beginning of the answer, and that nothing else uses.</param>
    public ReasoningBudget(int budget, SpecialTokens special, HarmonyParser parser)
    {
        _budget = budget;
        _parser = parser;
        _closing =
        [
            special.End,
            .. special.AssistantPrompt,
            special.Channel,
            .. special.Tokenizer.Encode(ChannelNames.Final),
            special.Message,
        ];
    }

    public string Name => "the reasoning budget";

    /// <inheritdoc/>
    public Guidance Begin() => new();

    /// <inheritdoc/>
    public int CountAllowed(ReadOnlySpan<int> guess) => guess.Length;

    /// <inheritdoc/>
    public Guidance After(int token)
    {
        bool wasReasoning = _parser.IsReasoning;
        _parser.Accept(token);
        if (_dictated > 0)
        {
            _dictated--;
            return new();
        }
        if (!_parser.IsReasoning)
            return new();
        _used += wasReasoning ? 1 : 0;
        if (_used < _budget)
            return new();
        _dictated = _closing.Length;
        return new() { Dictated = _closing };
    }
}
