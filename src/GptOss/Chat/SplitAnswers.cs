using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Answers that somebody has cut into several messages, as one again.</summary>
/// <remarks>
/// A function that wants approval is an example: once a person has agreed, <c>FunctionInvokingChatClient</c> puts the
/// call into a message of its own behind the reasoning and the text that the model wrote before it, under the same
/// <see cref="ChatMessage.MessageId"/>. Read apart, the text would be a final answer, and the reasoning that led to the
/// call would go.
/// </remarks>
internal static class SplitAnswers
{
    /// <summary>
    /// The messages with the place that each has in the history, where an answer has that of its begin.
    /// </summary>
    public static List<(ChatMessage Message, int Index)> Join(IReadOnlyList<ChatMessage> history)
    {
        var joined = new List<(ChatMessage Message, int Index)>();
        int speaker = -1; // the last message that says something
        for (int i = 0; i < history.Count; i++)
        {
            ChatMessage message = history[i];
            if (speaker >= 0 && AreOne(joined[speaker].Message, message))
            {
                ChatMessage whole = joined[speaker].Message.Clone();
                whole.Contents = [.. whole.Contents, .. message.Contents];
                joined[speaker] = (whole, joined[speaker].Index);
                continue;
            }
            if (!IsOfApprovals(message))
                speaker = joined.Count;
            joined.Add((message, i));
        }
        return joined;
    }

    /// <summary>Two messages of one answer have its id; without ids, what stands before a call belongs to it.</summary>
    private static bool AreOne(ChatMessage first, ChatMessage second) =>
        first.Role == ChatRole.Assistant
        && second.Role == ChatRole.Assistant
        && first.MessageId == second.MessageId
        && (
            first.MessageId is not null || (!HasCall(first) && second.Contents.FirstOrDefault() is FunctionCallContent)
        );

    private static bool HasCall(ChatMessage message) => message.Contents.Any(content => content is FunctionCallContent);

    /// <summary>
    /// Whether all that it says is for the function loop: it stands between the two halves of an answer.
    /// </summary>
    private static bool IsOfApprovals(ChatMessage message) =>
        message.Contents.Count > 0
        && message.Contents.All(content => content is ToolApprovalResponseContent or ToolApprovalRequestContent);
}
