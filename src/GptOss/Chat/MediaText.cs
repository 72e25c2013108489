using System.Diagnostics.CodeAnalysis;
using System.Net.Mime;
using System.Text;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Data that is text: an attached note, a table, JSON.</summary>
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

    /// <summary>Reads a data URI, which a stranger may have written.</summary>
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
    /// What is text although its type does not begin with <c>text/</c>: notations that people write by hand.
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
            // Of an encoding that .NET does not bring along, or has disabled, most of the text is ASCII
            return Encoding.UTF8;
        }
    }
}
