using System.Diagnostics.CodeAnalysis;
using System.Net.Mime;
using System.Text;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Reads data that is text although it came as a file: an attached note, a table, JSON. The media type decides whether
/// data is text.
/// </summary>
internal static class MediaText
{
    /// <summary>The text of data whose media type is text; null for a picture, sound or any other file.</summary>
    public static string? Of(DataContent data)
    {
        ContentType? type = Parse(data.MediaType);
        if (type is null || !IsText(type.MediaType))
            return null;
        using var reader = new StreamReader(
            new MemoryStream(data.Data.ToArray()),
            EncodingOf(type),
            detectEncodingFromByteOrderMarks: true
        );
        return reader.ReadToEnd();
    }

    /// <summary>Reads a data URI; false where the text is not a valid one.</summary>
    public static bool TryParse(string uri, string? name, [NotNullWhen(true)] out DataContent? data)
    {
        try
        {
            data = new DataContent(uri) { Name = name };
            _ = data.Data;
            return true;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidOperationException)
        {
            data = null;
            return false;
        }
    }

    private static ContentType? Parse(string mediaType)
    {
        try
        {
            return new ContentType(mediaType);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// Subtypes that are text although the type does not begin with <c>text/</c>, such as <c>application/json</c>:
    /// notations that people read and write.
    /// </summary>
    private static readonly HashSet<string> Notations = new(StringComparer.OrdinalIgnoreCase)
    {
        "json",
        "jsonl",
        "ndjson",
        "json-lines",
        "jsonlines",
        "json5",
        "xml",
        "yaml",
        "yml",
        "toml",
        "csv",
        "markdown",
        "sql",
        "graphql",
        "javascript",
        "ecmascript",
        "typescript",
        "python",
        "sh",
        "shellscript",
        "powershell",
        "tex",
        "latex",
    };

    private static bool IsText(string type)
    {
        if (type.StartsWith("text/", StringComparison.OrdinalIgnoreCase))
            return true;
        string subtype = type[(type.IndexOf('/', StringComparison.Ordinal) + 1)..];
        string notation = subtype.StartsWith("x-", StringComparison.OrdinalIgnoreCase) ? subtype[2..] : subtype;
        bool isPicture = type.StartsWith("image/", StringComparison.OrdinalIgnoreCase);
        return Notations.Contains(notation)
            || (!isPicture && Notations.Contains(subtype[(subtype.LastIndexOf('+') + 1)..]));
    }

    private static Encoding EncodingOf(ContentType type)
    {
        try
        {
            return string.IsNullOrEmpty(type.CharSet) ? Encoding.UTF8 : Encoding.GetEncoding(type.CharSet);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            // .NET lacks this encoding, or has it disabled. Most of such a text is ASCII, which UTF-8 reads.
            return Encoding.UTF8;
        }
    }
}
