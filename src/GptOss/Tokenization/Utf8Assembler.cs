using System.Text;

namespace GptOss.Tokenization;

/// <summary>
/// Bytes → text as they come: whole characters at once, the beginning of one held back until it is complete.
/// </summary>
/// <remarks>
/// However the bytes are cut, the pieces together with <see cref="Flush"/> are the text that <see
/// cref="Encoding.UTF8"/> makes of all of them: malformed bytes become U+FFFD. At most three bytes are held back. For
/// one stream; not thread-safe.
/// </remarks>
internal sealed class Utf8Assembler
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that <paramref name="bytes"/> complete, "" if they only begin a character.</summary>
    public string Append(ReadOnlySpan<byte> bytes) => Convert(bytes, flush: false);

    /// <summary>Ends the stream: U+FFFD if a character was begun, else "". The assembler may then begin anew.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        // A byte makes at most one unit (four make two), and up to three bytes held back may make one each.
        int room = bytes.Length + 3;
        Span<char> chars = room <= 256 ? stackalloc char[256] : new char[room];
        return new string(chars[.._decoder.GetChars(bytes, chars, flush)]);
    }
}
