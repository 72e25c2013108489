using System.Text.Json;
using GptOss.Cli.Answer;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>A conversation as a file: one JSON object, its messages in the form of Microsoft.Extensions.AI.</summary>
internal static class ConversationFile
{
    private const string Format = "gptoss-conversation";
    private const int Version = 1;

    // A conversation fits into a context of 131,072 tokens; what is much longer is something else.
    private const long LargestBytes = 64 << 20;

    /// <summary>Writes beside the file and then moves into its place, so that nobody ever finds half a conversation.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, Conversation conversation)
    {
        var saved = new SavedConversation(Format, Version, conversation.Effort, conversation.System, conversation.HasTools, conversation.Messages);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(saved, ConversationJson.Saved);
        string arriving = $"{path}.{Guid.NewGuid():N}";
        try
        {
            using (var file = new FileStream(arriving, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(json);
                file.Flush(flushToDisk: true);
            }
            File.Move(arriving, path, overwrite: true);
        }
        catch
        {
            File.Delete(arriving);
            throw;
        }
    }

    /// <exception cref="IOException">The file cannot be read, or holds no whole conversation.</exception>
    public static Conversation Load(string path)
    {
        if (Directory.Exists(path))
            throw Damaged(path, "it is a folder");
        var file = new FileInfo(path);
        if (file is { Exists: true, Length: 0 })
            throw Damaged(path, "it is empty");
        if (file is { Exists: true, Length: > LargestBytes })
            throw Damaged(path, "it is too large");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ConversationJson.Saved) switch
            {
                null or { Format: not Format } => throw Damaged(path, $"it is not of the format '{Format}'"),
                { Version: not Version } other => throw Damaged(path, $"its version is {other.Version}, and this tool reads {Version}"),
                { } saved => Checked(path, saved),
            };
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or ArgumentException)
        {
            throw Damaged(path, e.Message);
        }
    }

    private static Conversation Checked(string path, SavedConversation saved)
    {
        if (saved.Effort is not { } effort || AnswerOptions.Effort(effort) is null)
            throw Damaged(path, $"its effort is none of {string.Join(", ", AnswerOptions.Efforts)}");
        if (saved.Messages is not { } messages)
            throw Damaged(path, "it has no messages");
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i] is not { } message || !IsRole(message.Role))
                throw Damaged(path, $"message {i} has none of the roles user, assistant and tool");
            foreach (AIContent? content in message.Contents)
            {
                if (!IsContent(content))
                    throw Damaged(path, $"message {i} holds {content?.GetType().Name ?? "nothing"} as a content");
            }
        }
        return new Conversation { Effort = effort, System = saved.System, HasTools = saved.Tools, Messages = [.. messages.OfType<ChatMessage>()] };
    }

    private static bool IsRole(ChatRole role) => role == ChatRole.User || role == ChatRole.Assistant || role == ChatRole.Tool;

    private static bool IsContent(AIContent? content) =>
        content is TextContent or TextReasoningContent or FunctionCallContent or FunctionResultContent;

    private static IOException Damaged(string path, string why) => new($"'{path}' is no saved conversation: {why.TrimEnd('.')}.");
}
