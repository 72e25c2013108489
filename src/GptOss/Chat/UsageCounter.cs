using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Counts the tokens of a request.</summary>
/// <param name="promptTokens">All of the prompt, what it begins of the answer included.</param>
internal sealed class UsageCounter(int promptTokens)
{
    private int _input = promptTokens;

    public int Output { get; private set; }

    public int Reasoning { get; private set; }

    /// <param name="isReasoning">Whether the token stands within reasoning; its markers do not.</param>
    public void Add(bool isReasoning)
    {
        Output++;
        Reasoning += isReasoning ? 1 : 0;
    }

    /// <param name="count">Tokens that the client itself put behind a part of the answer.</param>
    public void AddInput(int count) => _input += count;

    /// <param name="cached">Tokens of the prompt that needed no computing.</param>
    public UsageDetails ToDetails(int cached) =>
        new()
        {
            InputTokenCount = _input,
            OutputTokenCount = Output,
            TotalTokenCount = _input + (long)Output,
            CachedInputTokenCount = cached,
            ReasoningTokenCount = Reasoning,
        };
}
