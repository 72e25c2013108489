using System.Text;
using System.Text.Unicode;

namespace GptOss.Checkpoint;

/// <summary>
/// Tells from its first bytes what a file is that is not what its name says, and what to do about it.
/// </summary>
/// <remarks>
/// No JSON and no safetensors file begins like any of these: the first eight bytes of a safetensors file are a length
/// below 100,000,000, so four of them are zeros.
/// </remarks>
internal static class FileLook
{
    /// <summary>How many bytes of a file's beginning are looked at.</summary>
    public const int Bytes = 512;

    private const int Shown = 60;

    /// <summary>
    /// What the file is, as the rest of a sentence that begins with its name; null where nothing is known.
    /// </summary>
    /// <param name="start">The first <see cref="Bytes"/> bytes, or all of a shorter file.</param>
    public static string? Describe(ReadOnlySpan<byte> start)
    {
        start = start[..Math.Min(start.Length, Bytes)];
        if (start.StartsWith("version https://git-lfs"u8) || start.StartsWith("version https://hawser"u8))
            return "is a Git LFS pointer and not the file itself: run 'git lfs pull' in its folder.";
        if (start.StartsWith("GGUF"u8))
            return "is a GGUF file under another name: give its own path, or rename it.";
        if (IsMetal(start))
            return "is a model in OpenAI's own form for Metal, and this engine reads safetensors: download the files "
                + "beside the folder 'metal'.";
        if (start.StartsWith("PK\x03\x04"u8) || Begins(start, 0x80, 0x02) || Begins(start, 0x80, 0x04))
            return "is a file of PyTorch, and this engine reads safetensors: save the model with "
                + "safe_serialization=True.";
        if (Begins(start, 0x1F, 0x8B))
            return "is a gzip archive: unpack it first.";
        if (Begins(start, 0xFF, 0xFE) || Begins(start, 0xFE, 0xFF))
            return "is text in UTF-16: save it in UTF-8.";
        if (start.Length >= 16 && !start.ContainsAnyExcept((byte)0))
            return "begins with zeros only: its download took the space and never wrote the content. Download it "
                + "again.";

        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        ReadOnlySpan<byte> text = (start.StartsWith(mark) ? start[mark.Length..] : start).TrimStart(" \t\r\n"u8);
        if (
            text.Length > 1
            && text[0] == '<'
            && (text[1] is (byte)'!' or (byte)'?' || char.IsAsciiLetter((char)text[1]))
        )
            return "is a web page and not the file: the server answered the download with a page. Download it again, "
                + "signed in if the repository asks for it.";
        return null;
    }

    /// <summary>Whether it begins as the one file of the folder <c>metal</c> of OpenAI's repositories.</summary>
    public static bool IsMetal(ReadOnlySpan<byte> start) => start.StartsWith("GPT-OSS v1"u8);

    private static bool Begins(ReadOnlySpan<byte> start, byte first, byte second) =>
        start.Length > 1 && start[0] == first && start[1] == second;

    /// <summary>
    /// Says what a file is that should be binary. Text is wrong there too: most often an error that a server sent in
    /// place of the file.
    /// </summary>
    public static string? DescribeBinary(ReadOnlySpan<byte> start)
    {
        if (Describe(start) is { } known)
            return known;
        start = start[..Math.Min(start.Length, Bytes)];
        if (
            start.Length < 8
            || start.ContainsAnyInRange((byte)0, (byte)8)
            || start.ContainsAnyInRange((byte)14, (byte)31)
            || !IsUtf8(start)
        )
            return null;
        return Text(start, "weights belong");
    }

    /// <summary>
    /// Says what a file is that should hold a JSON object. Bare words there are an error that a server sent in place of
    /// the file.
    /// </summary>
    public static string? DescribeJson(ReadOnlySpan<byte> start)
    {
        if (Describe(start) is { } known)
            return known;
        start = start[..Math.Min(start.Length, Bytes)].Trim(" \t\r\n"u8);
        // The first word of JSON is one of three, or a number; "404: Not Found" is none.
        bool isWords =
            start.Length > 3
            && (char.IsAsciiLetter((char)start[0]) || char.IsAsciiDigit((char)start[0]) && start.ContainsAny(" :"u8))
            && !start.StartsWith("null"u8)
            && !start.StartsWith("true"u8)
            && !start.StartsWith("false"u8);
        return isWords || start.Length > 1 && start[0] == '"' ? Text(start, "a JSON object belongs") : null;
    }

    // The last character may be cut, which has four bytes at the most.
    private static bool IsUtf8(ReadOnlySpan<byte> start)
    {
        for (int cut = 0; cut < 4; cut++)
            if (Utf8.IsValid(start[..^cut]))
                return true;
        return false;
    }

    private static string Text(ReadOnlySpan<byte> start, string place)
    {
        string text = Encoding.UTF8.GetString(start[..Math.Min(start.Length, Shown)]);
        return $"is text ('{Printable.Name(text)}{(start.Length > Shown ? "…" : "")}') where {place}. If it was "
            + "downloaded, it is an error that the server sent in place of the file: download it again.";
    }

    /// <summary>
    /// Says what a JSON object is that stands in place of a configuration or an index: a server's error is told by its
    /// fields.
    /// </summary>
    /// <param name="names">The names of the object's fields.</param>
    public static string? DescribeObject(IEnumerable<string> names)
    {
        const int MostFields = 6;
        string[] fields = [.. names.Take(MostFields + 1)];
        if (fields.Length > MostFields || fields.FirstOrDefault(IsOfAnError) is not { } field)
            return null;
        return $"is an error that a server sent in place of the file (its field '{field}' says so). Download it again, "
            + "signed in if the repository asks for it.";
    }

    private static bool IsOfAnError(string field) =>
        field.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant()
            is "ERROR"
                or "ERRORS"
                or "ERRORCODE"
                or "ERRORMESSAGE"
                or "MESSAGE"
                or "MSG"
                or "DETAIL"
                or "DETAILS"
                or "SUCCESS"
                or "STATUSCODE";
}
