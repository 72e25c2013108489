using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>What was said, and how the model is to go on with it.</summary>
internal sealed class Conversation
{
    public required string Effort { get; set; }

    /// <summary>Instructions for the model; null for none.</summary>
    public string? System { get; set; }

    /// <summary>Whether the model may call <see cref="ChatTools"/>.</summary>
    public bool HasTools { get; set; }

    public List<ChatMessage> Messages { get; init; } = [];

    /// <summary>The reasoning of the last answer, with its calls; empty where it had none.</summary>
    public string LastReasoning()
    {
        int question = Messages.FindLastIndex(message => message.Role == ChatRole.User);
        return string.Join(
            '\n',
            Messages
                .Skip(question + 1)
                .SelectMany(message => message.Contents)
                .Select(content =>
                    content switch
                    {
                        TextReasoningContent reasoning => reasoning.Text,
                        FunctionCallContent or FunctionResultContent => Answer.TextView.Line(content),
                        _ => "",
                    }
                )
                .Where(line => line.Length > 0)
        );
    }

    /// <summary>Adds a question and the answer to it.</summary>
    /// <param name="question">What the person said.</param>
    /// <param name="answer">The messages of the model and of the functions.</param>
    /// <param name="isWhole">False where the answer was stopped: a call may lack its result then, so that only words
    /// are kept.</param>
    public void Add(ChatMessage question, IEnumerable<ChatMessage> answer, bool isWhole)
    {
        Messages.Add(question);
        foreach (ChatMessage message in answer)
        {
            if (!isWhole)
                message.Contents =
                [
                    .. message.Contents.Where(content => content is TextContent or TextReasoningContent),
                ];
            if (message.Contents.Count > 0)
                Messages.Add(message);
        }
    }
}
