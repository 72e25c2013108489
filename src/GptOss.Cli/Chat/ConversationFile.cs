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

    /// <summary>
    /// Writes beside the file and then moves into its place, so that nobody ever finds half a conversation.
    /// </summary>
    /// <remarks>
    /// A link stays a link: the file that it leads to is written. What is no saved conversation is never written over.
    /// </remarks>
    /// <exception cref="IOException">The file cannot be written, or holds something else than a
    /// conversation.</exception>
    public static void Save(string path, Conversation conversation)
    {
        var saved = new SavedConversation(
            Format,
            Version,
            conversation.Effort,
            conversation.System,
            conversation.HasTools,
            conversation.Messages
        );
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(saved, ConversationJson.Saved);
        string target = Target(path);
        if (Path.Exists(target))
        {
            try
            {
                Load(path);
            }
            catch (IOException error)
            {
                throw new IOException($"'{path}' is there already and is not written over. {error.Message}", error);
            }
        }
        string arriving = $"{target}.{Guid.NewGuid():N}";
        try
        {
            using (var file = new FileStream(arriving, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(json);
                file.Flush(flushToDisk: true);
            }
            File.Move(arriving, target, overwrite: true);
        }
        catch (Exception error) when (IsFileTrouble(error))
        {
            throw Trouble(path, "written", error);
        }
        finally
        {
            // A temporary file that could not be moved into its place is removed.
            if (File.Exists(arriving))
                File.Delete(arriving);
        }
    }

    /// <exception cref="IOException">The file cannot be read, or holds no whole conversation.</exception>
    public static Conversation Load(string path)
    {
        var file = new FileInfo(Target(path));
        if (Directory.Exists(file.FullName))
            throw Damaged(path, "it is a folder");
        if (!file.Exists)
            throw new IOException($"'{path}' cannot be read: there is no such file.");
        // Pipes, sockets and devices have no length either, and some of them would be read for ever.
        if (file.Length == 0)
            throw Damaged(path, "it is empty, or no regular file");
        if (file.Length > LargestBytes)
            throw Damaged(path, "it is too large");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ConversationJson.Saved) switch
            {
                null or { Format: not Format } => throw Damaged(path, $"it is not of the format '{Format}'"),
                { Version: not Version } other => throw Damaged(
                    path,
                    $"its version is {other.Version}, and this tool reads {Version}"
                ),
                { } saved => Checked(path, saved),
            };
        }
        catch (JsonException e)
        {
            throw Damaged(
                path,
                e.LineNumber is { } line
                    ? $"line {line + 1} is not what such a file has there"
                    : "it is not what such a file has"
            );
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            throw Damaged(path, "it holds something that no conversation has");
        }
        catch (Exception e) when (IsFileTrouble(e) && e is not DamagedException)
        {
            throw Trouble(path, "read", e);
        }
    }

    /// <summary>The file that a name leads to: itself, or what is at the end of its links.</summary>
    private static string Target(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        }
        catch (Exception e) when (IsFileTrouble(e) || e is ArgumentException)
        {
            throw Trouble(path, "found", e);
        }
    }

    private static bool IsFileTrouble(Exception e) => e is IOException or UnauthorizedAccessException;

    private static IOException Trouble(string path, string what, Exception e) =>
        new(
            $"'{path}' cannot be {what}: {e switch
    {
        UnauthorizedAccessException => "access is denied",
        DirectoryNotFoundException => "there is no such folder",
        FileNotFoundException => "there is no such file",
        ArgumentException => "that is no name of a file",
        PathTooLongException => "the name is too long",
        _ => "the system refuses it, or the disk is full",
    }}.",
            e
        );

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
                    throw Damaged(
                        path,
                        $"message {i} holds something else than text, reasoning, calls and their results"
                    );
            }
        }
        return new Conversation
        {
            Effort = effort,
            System = saved.System,
            HasTools = saved.Tools,
            Messages = [.. messages.OfType<ChatMessage>()],
        };
    }

    private static bool IsRole(ChatRole role) =>
        role == ChatRole.User || role == ChatRole.Assistant || role == ChatRole.Tool;

    private static bool IsContent(AIContent? content) =>
        content is TextContent or TextReasoningContent or FunctionCallContent or FunctionResultContent;

    private static DamagedException Damaged(string path, string why) =>
        new($"'{path}' is no saved conversation: {why}.");

    private sealed class DamagedException(string message) : IOException(message);
}
