using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Makes the exception for a picture, sound or file that a user wants read, which gpt-oss, a model of text, cannot do.
/// </summary>
internal static class Unsupported
{
    /// <summary>An exception that names the place and the kind of the content, and says what to do.</summary>
    /// <param name="content">The content that cannot be read.</param>
    /// <param name="place">The message that holds it, as the beginning of a sentence: <c>Message 3 (user)</c>.</param>
    public static NotSupportedException Content(AIContent content, string place)
    {
        string? media = content switch
        {
            DataContent data => data.MediaType,
            UriContent link => link.MediaType,
            HostedFileContent file => file.MediaType,
            _ => null,
        };
        string kind = media?.Split('/')[0] switch
        {
            "image" => "a picture",
            "audio" => "sound",
            "video" => "a film",
            null => "content",
            _ => "a file",
        };
        string type = media is null ? content.GetType().Name : $"{content.GetType().Name}, {Printable.Name(media)}";
        string next =
            content is UriContent
                ? "Fetch it, and put what it says into the message as text."
                : "Leave it out, or put what it says into the message as text.";
        return new NotSupportedException(
            $"{place} holds {(content is UriContent ? "a link to " : "")}{kind} ({type}), which is not supported: "
                + $"gpt-oss reads text only. {next}"
        );
    }
}
