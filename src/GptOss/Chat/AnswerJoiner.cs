using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Joins messages of a history that are pieces of one answer, since some frameworks cut an answer into several
/// messages.
/// </summary>
/// <remarks>
/// A function that wants approval is an example: once a person has agreed, <c>FunctionInvokingChatClient</c> puts the
/// call into a message of its own behind the reasoning and the text that the model wrote before it, under the same
/// <see cref="ChatMessage.MessageId"/>. Read apart, the text would be a final answer, and the reasoning that led to the
/// call would be left out of the prompt.
/// </remarks>
internal static class AnswerJoiner
{
    /// <summary>
    /// The history with each answer in one message, and the index that each message has in the history. A joined
    /// answer has the index of its first piece.
    /// </summary>
    public static List<(ChatMessage Message, int Index)> Join(IReadOnlyList<ChatMessage> history)
    {
        var joined = new List<(ChatMessage Message, int Index)>();
        int speaker = -1; // the last message that is not only about approvals
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

    /// <summary>
    /// Whether two messages are pieces of one answer: both have its id, or neither has an id and the second begins with
    /// a call.
    /// </summary>
    private static bool AreOne(ChatMessage first, ChatMessage second) =>
        first.Role == ChatRole.Assistant
        && second.Role == ChatRole.Assistant
        && first.MessageId == second.MessageId
        && (
            first.MessageId is not null || (!HasCall(first) && second.Contents.FirstOrDefault() is FunctionCallContent)
        );

    private static bool HasCall(ChatMessage message) => message.Contents.Any(content => content is FunctionCallContent);

    /// <summary>
    /// Whether a message holds only requests for approval and answers to them: such a message may stand between the
    /// pieces of an answer, and does not part them.
    /// </summary>
    private static bool IsOfApprovals(ChatMessage message) =>
        message.Contents.Count > 0
        && message.Contents.All(content => content is ToolApprovalResponseContent or ToolApprovalRequestContent);
}
