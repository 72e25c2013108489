using System.Text;

namespace GptOss.Tokenization;

/// <summary>
/// The 256 characters by which <c>tokenizer.json</c> writes bytes: printable bytes stand for themselves, the others for
/// U+0100 and on.
/// </summary>
/// <remarks>Source: <c>bytes_to_unicode</c> of openai/gpt-2.</remarks>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = MakeLetters();
    private static readonly Dictionary<char, byte> Values = Enumerable
        .Range(0, 256)
        .ToDictionary(b => Letters[b], b => (byte)b);

    /// <summary>The character that stands for a byte.</summary>
    public static char Letter(byte value) => Letters[value];

    /// <summary>
    /// The bytes of a token; those of its UTF-8 form if it is not written in this alphabet, as Hugging Face decodes it.
    /// </summary>
    public static byte[] ToBytes(string token)
    {
        var bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            if (!Values.TryGetValue(token[i], out bytes[i]))
                return Encoding.UTF8.GetBytes(token);
        }
        return bytes;
    }

    private static char[] MakeLetters()
    {
        var letters = new char[256];
        char next = '\u0100';
        for (int b = 0; b < 256; b++)
            letters[b] = b is (>= '!' and <= '~') or (>= '¡' and <= '¬') or (>= '®' and <= 'ÿ') ? (char)b : next++;
        return letters;
    }
}
