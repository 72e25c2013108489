namespace GptOss.Kernels.Formats;

/// <summary>
/// How the blocks of MXFP4 lie in memory: where the scale of a block is, and in which order its 32 codes are. The
/// products of <see cref="Mxfp4"/> read every kind through this, and add in the order of OpenAI's files, so that the
/// same values give the same bits.
/// </summary>
internal interface IMxfp4Blocks
{
    /// <summary>Number of bytes from one block to the next: 16, or 17 where the scale lies before the codes.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Whether the scale is the first byte of its block; else the scales lie in memory of their own.</summary>
    static abstract bool HasScales { get; }

    /// <summary>
    /// Whether the low nibbles of a block are its first sixteen values and the high ones its last; else the low nibbles
    /// are the values of even index.
    /// </summary>
    static abstract bool IsInHalves { get; }
}

/// <summary>The codes of a block of MXFP4, in whatever kind of blocks.</summary>
internal static class Mxfp4Codes
{
    /// <summary>Number of bytes of the 32 codes of a block, without the scale.</summary>
    public const int Bytes = 16;
}

/// <summary>The blocks of OpenAI's files: 16 bytes of codes, two neighbours in a byte, and the scales apart.</summary>
internal readonly struct Mxfp4Apart : IMxfp4Blocks
{
    public static int BlockBytes => Mxfp4Codes.Bytes;

    public static bool HasScales => false;

    public static bool IsInHalves => false;
}

/// <summary>The blocks of Ollama's first files, type number 4: the scale, then codes in the order of OpenAI.</summary>
internal readonly struct Mxfp4Pairs : IMxfp4Blocks
{
    public static int BlockBytes => Mxfp4Codes.Bytes + 1;

    public static bool HasScales => true;

    public static bool IsInHalves => false;
}

/// <summary>
/// The blocks of GGUF, type number 39: the scale, then 16 bytes of which byte i has value i in its low and value i + 16
/// in its high half.
/// </summary>
internal readonly struct Mxfp4Halves : IMxfp4Blocks
{
    public static int BlockBytes => Mxfp4Codes.Bytes + 1;

    public static bool HasScales => true;

    public static bool IsInHalves => true;
}
