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
        using var reader = new StreamReader(new MemoryStream(data.Data.ToArray()), EncodingOf(type), detectEncodingFromByteOrderMarks: true);
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

    private static bool IsText(string type) =>
        type.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
        || type.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
        || type.EndsWith("/xml", StringComparison.OrdinalIgnoreCase) || type.EndsWith("/yaml", StringComparison.OrdinalIgnoreCase);

    private static Encoding EncodingOf(ContentType type)
    {
        try
        {
            return string.IsNullOrEmpty(type.CharSet) ? Encoding.UTF8 : Encoding.GetEncoding(type.CharSet);
        }
        catch (ArgumentException)
        {
            return Encoding.UTF8;   // of an encoding that .NET does not bring along, most of the text is ASCII
        }
    }
}
