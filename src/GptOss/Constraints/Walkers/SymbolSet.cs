using System.Numerics;

namespace GptOss.Constraints.Walkers;

/// <summary>Bytes and markers, of which some are members; a marker is 256 plus its number.</summary>
internal sealed class SymbolSet
{
    /// <summary>The bytes, and behind them the markers.</summary>
    public const int Symbols = 256 + Markers.Most;

    private readonly ulong[] _bits = new ulong[(Symbols + 63) / 64];

    /// <summary>Whether a symbol is a member.</summary>
    public bool Contains(int symbol) => (_bits[symbol / 64] >> (symbol % 64) & 1) != 0;

    /// <summary>Takes all members out.</summary>
    public void Clear() => _bits.AsSpan().Clear();

    /// <summary>Adds a symbol.</summary>
    public void Add(int symbol) => _bits[symbol / 64] |= 1UL << (symbol % 64);

    /// <summary>Adds all symbols from the first to the last.</summary>
    public void Add(int first, int last)
    {
        for (int symbol = first; symbol <= last; symbol++)
            Add(symbol);
    }

    /// <summary>Adds the bytes with which code points from the first to the last begin in UTF-8.</summary>
    public void AddLeads(int first, int last)
    {
        if (first < 0x80)
            Add(first, Math.Min(last, 0x7F));
        if (last >= 0x80)
            Add(Lead(Math.Max(first, 0x80)), Lead(last));
    }

    /// <summary>Adds every continuation byte of UTF-8.</summary>
    public void AddContinuations() => _bits[2] = ulong.MaxValue;

    /// <summary>Adds the bytes of white space between tokens of JSON.</summary>
    public void AddSpace()
    {
        Add(' ');
        Add('\n');
        Add('\t');
    }

    /// <summary>The next member from a symbol on, or -1.</summary>
    public int Next(int symbol)
    {
        for (int word = symbol / 64; word < _bits.Length; word++, symbol = word * 64)
            if (_bits[word] >> (symbol % 64) is var rest and not 0)
                return symbol + BitOperations.TrailingZeroCount(rest);
        return -1;
    }

    private static int Lead(int codePoint) =>
        codePoint switch
        {
            < 0x800 => 0xC0 | (codePoint >> 6),
            < 0x1_0000 => 0xE0 | (codePoint >> 12),
            _ => 0xF0 | (codePoint >> 18),
        };
}
