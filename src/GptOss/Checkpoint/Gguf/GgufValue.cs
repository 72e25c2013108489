namespace GptOss.Checkpoint.Gguf;

/// <summary>The value of a key, as far as it is kept: numbers, short strings, and where an array lies.</summary>
/// <param name="Type">The type of the value.</param>
/// <param name="Bits">The bits of a number, those of a signed one with its sign extended.</param>
/// <param name="Text">The bytes of a short string, else null.</param>
/// <param name="Inner">The type of the elements of an array.</param>
/// <param name="Count">Number of elements of an array, or of bytes of a string.</param>
/// <param name="Position">Where the first element of an array lies in the file.</param>
internal readonly record struct GgufValue(
    GgufType Type,
    ulong Bits = 0,
    byte[]? Text = null,
    GgufType Inner = default,
    long Count = 0,
    long Position = 0
);
