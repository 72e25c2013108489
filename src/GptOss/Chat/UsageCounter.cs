using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Counts the tokens of one request for its usage report: those of the prompt, of the answer, and of the reasoning
/// within the answer.
/// </summary>
/// <param name="promptTokens">All tokens of the prompt, with those that begin the answer.</param>
internal sealed class UsageCounter(int promptTokens)
{
    private int _input = promptTokens;

    /// <summary>Tokens that the model has made.</summary>
    public int Output { get; private set; }

    /// <summary>Those of <see cref="Output"/> that are reasoning, without its markers.</summary>
    public int Reasoning { get; private set; }

    /// <summary>Counts one token of the answer.</summary>
    /// <param name="isReasoning">Whether the token stands within reasoning; the markers around reasoning do
    /// not.</param>
    public void Add(bool isReasoning)
    {
        Output++;
        Reasoning += isReasoning ? 1 : 0;
    }

    /// <summary>Counts tokens that the model reads in the middle of its answer.</summary>
    /// <param name="count">Tokens that the client itself put behind a part of the answer.</param>
    public void AddInput(int count) => _input += count;

    /// <summary>The counts in the form that a response reports.</summary>
    /// <param name="cached">Tokens of the prompt whose keys and values were found again.</param>
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
