namespace GptOss.Constraints.Walkers;

/// <summary>
/// The bytes of a code point in UTF-8 that have been read of it, fewer than it has. Only beginnings of well-formed code
/// points are made: no overlong ones, no surrogates, none beyond U+10FFFF.
/// </summary>
/// <param name="Value">The bits of the bytes read.</param>
/// <param name="Left">How many bytes follow, 1 to 3.</param>
internal readonly record struct PartialCodePoint(int Value, int Left)
{
    // With two bytes left, values below this are lead bytes of three, the others the first two bytes of four.
    private const int ThreeByteLeads = 16;

    /// <summary>The first code point that can still come.</summary>
    public int First =>
        (Value, Left) switch
        {
            (0, 2) => 0x800,
            (0, 3) => 0x1_0000,
            _ => Value << (6 * Left),
        };

    /// <summary>The last code point that can still come.</summary>
    public int Last =>
        (Value, Left) switch
        {
            (0xD, 2) => 0xD7FF,
            (4, 3) => 0x10_FFFF,
            _ => ((Value + 1) << (6 * Left)) - 1,
        };

    /// <summary>Whether every continuation byte may follow, and again until the code point is whole.</summary>
    public bool IsUniform => (Value, Left) is not ((0 or 0xD, 2) or (0 or 4, 3));

    /// <summary>What a lead byte of several begins.</summary>
    public static bool TryBegin(int lead, out PartialCodePoint partial)
    {
        partial = lead switch
        {
            >= 0xC2 and <= 0xDF => new(lead & 0x1F, 1),
            >= 0xE0 and <= 0xEF => new(lead & 0xF, 2),
            >= 0xF0 and <= 0xF4 => new(lead & 7, 3),
            _ => default,
        };
        return partial.Left != 0;
    }

    /// <summary>What follows with one more byte; with none left, the value is the code point.</summary>
    public bool TryAppend(int next, out PartialCodePoint longer)
    {
        longer = new((Value << 6) | (next & 0x3F), Left - 1);
        if ((next & ~0x3F) != 0x80)
            return false;
        return Left switch
        {
            3 => longer.Value is >= 0x10 and <= 0x10F,
            2 when Value < ThreeByteLeads => longer.Value is >= 0x20 and not (>= 0x360 and <= 0x37F),
            _ => true,
        };
    }
}
