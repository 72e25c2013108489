using System.Numerics;

namespace GptOss.Constraints.Walkers;

/// <summary>Bytes and markers, of which some are members; a marker is 256 plus its number.</summary>
internal sealed class SymbolSet : IEquatable<SymbolSet>
{
    /// <summary>The bytes, and behind them the markers.</summary>
    public const int Symbols = 256 + Markers.Most;

    private readonly ulong[] _bits = new ulong[(Symbols + 63) / 64];

    /// <summary>How many members there are.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (ulong word in _bits)
                count += BitOperations.PopCount(word);
            return count;
        }
    }

    /// <summary>Takes all members out.</summary>
    public void Clear() => _bits.AsSpan().Clear();

    /// <summary>Adds a symbol to the members.</summary>
    public void Add(int symbol) => _bits[symbol / 64] |= 1UL << (symbol % 64);

    /// <summary>Adds all members of another set.</summary>
    public void Add(SymbolSet other)
    {
        for (int at = 0; at < _bits.Length; at++)
            _bits[at] |= other._bits[at];
    }

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

    /// <summary>Of each symbol: its place among the members, from 1; 0 for all others.</summary>
    public ushort[] Columns()
    {
        var columns = new ushort[Symbols];
        ushort column = 0;
        for (int symbol = 0; symbol < Symbols; symbol++)
            if ((_bits[symbol / 64] >> (symbol % 64) & 1) != 0)
                columns[symbol] = ++column;
        return columns;
    }

    /// <summary>A set of the same members that does not change with this one.</summary>
    public SymbolSet Copy()
    {
        var copy = new SymbolSet();
        _bits.CopyTo(copy._bits, 0);
        return copy;
    }

    /// <inheritdoc/>
    public bool Equals(SymbolSet? other) => other is not null && _bits.AsSpan().SequenceEqual(other._bits);

    /// <inheritdoc/>
    public override bool Equals(object? other) => Equals(other as SymbolSet);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_bits[0], _bits[1], _bits[2], _bits[3], _bits[4]);

    private static int Lead(int codePoint) =>
        codePoint switch
        {
            < 0x800 => 0xC0 | (codePoint >> 6),
            < 0x1_0000 => 0xE0 | (codePoint >> 12),
            _ => 0xF0 | (codePoint >> 18),
        };
}
