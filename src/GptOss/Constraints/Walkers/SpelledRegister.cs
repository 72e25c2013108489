using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// Where a <see cref="SpelledText"/> stands, in 64 bits. From the low end: 21 bits state of the language; 3 bits
/// <see cref="SpelledMode"/> and 2 bits bytes left of a code point begun, or these 5 bits bytes read of an escape; 16
/// bits what the bytes say; 22 bits number of code points read where a length counts.
/// </summary>
internal readonly record struct SpelledRegister(ulong Bits)
{
    private const int ModeAt = 21,
        ValueAt = 26,
        CountAt = 42;

    // Of an escape 1 to 11 bytes are read, which takes the place of the modes from 4 to 6.
    private const int EscapeFrom = (int)SpelledMode.Escape << 2,
        EscapeTo = (int)SpelledMode.Done << 2;

    private SpelledRegister(int state, int mode, int value, int count)
        : this((uint)state | ((ulong)mode << ModeAt) | ((ulong)value << ValueAt) | ((ulong)count << CountAt)) { }

    /// <summary>The register at the start of a text.</summary>
    public static SpelledRegister Start(SpelledMode mode) => new(CodePointDfa.Start, (int)mode << 2, 0, 0);

    /// <summary>What is read of the text.</summary>
    public SpelledMode Mode => IsEscape ? SpelledMode.Escape : (SpelledMode)(ModeBits >> 2);

    /// <summary>The state of the language.</summary>
    public int State => (int)(Bits & ((1UL << ModeAt) - 1));

    /// <summary>How many code points are read where a length counts.</summary>
    public int Count => (int)(Bits >> CountAt);

    /// <summary>The bytes read of a code point.</summary>
    public PartialCodePoint Partial => new(Value, ModeBits & 3);

    /// <summary>The bytes read of an escape.</summary>
    public EscapedCodePoint Escape => IsEscape ? new(Value, ModeBits - EscapeFrom) : EscapedCodePoint.None;

    private bool IsEscape => ModeBits is >= EscapeFrom and < EscapeTo;

    private int ModeBits => (int)(Bits >> ModeAt) & 31;

    private int Value => (int)(Bits >> ValueAt) & 0xFFFF;

    /// <summary>The register with no code point begun.</summary>
    public SpelledRegister With(SpelledMode mode) => new(State, (int)mode << 2, 0, Count);

    /// <summary>The register with some bytes of a code point.</summary>
    public SpelledRegister With(SpelledMode mode, PartialCodePoint partial) =>
        new(State, ((int)mode << 2) | partial.Left, partial.Value, Count);

    /// <summary>The register with some bytes of an escape.</summary>
    public SpelledRegister With(EscapedCodePoint escape) => new(State, EscapeFrom + escape.Length, escape.Value, Count);

    /// <summary>The register in another state of the language, that many code points read.</summary>
    public SpelledRegister At(int state, int count) => new(state, ModeBits, Value, count);
}

/// <summary>What has been read of a <see cref="SpelledText"/>.</summary>
internal enum SpelledMode
{
    /// <summary>The opening quote is still to come.</summary>
    Before,

    /// <summary>Between two of its characters.</summary>
    Inside,

    /// <summary>Some bytes of a code point are read, and the state is the one before it.</summary>
    Partial,

    /// <summary>The same, but the state is already the one behind the code point.</summary>
    Settled,

    /// <summary>Some bytes of an escape are read, and the state is the one before it.</summary>
    Escape,

    /// <summary>The closing quote is read.</summary>
    Done = 7,
}
