using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Answer;

/// <summary>Says why an answer has no text.</summary>
internal static class MissingAnswer
{
    /// <summary>A sentence for the person; null where there is an answer.</summary>
    /// <param name="answer">The messages that came.</param>
    /// <param name="limit">The value of --max-tokens; null where it was not given.</param>
    public static string? Explain(ChatResponse answer, int? limit)
    {
        if (answer.Text.Length > 0)
            return null;
        FunctionCallContent? call = answer
            .Messages.SelectMany(message => message.Contents)
            .OfType<FunctionCallContent>()
            .LastOrDefault();
        return answer.FinishReason == ChatFinishReason.Length && limit is { } tokens
                ? $"No answer came within {Amount.Count(tokens)} tokens. A model thinks before it answers: raise "
                    + "--max-tokens."
            : answer.FinishReason == ChatFinishReason.Length
                ? "No answer came before the context was full. Ask a shorter question, or with a lower --effort."
            : call is { InformationalOnly: true }
                ? $"No answer came: instead of answering the model called '{Printable.Name(call.Name)}', which is no "
                    + "function that it was offered or whose arguments could not be read. Ask again, or in other "
                    + "words."
            : "No answer came: the model ended without a word. Ask again, or in other words.";
    }
}
