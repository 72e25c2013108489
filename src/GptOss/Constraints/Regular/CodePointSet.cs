using System.Collections.Immutable;

namespace GptOss.Constraints.Regular;

/// <summary>Code points from the first to the last, both included.</summary>
internal readonly record struct CodePointRange(int First, int Last);

/// <summary>
/// A set of Unicode scalar values: sorted ranges that neither touch nor overlap. Surrogates belong to no set, so a
/// range ends before them or begins behind them. Immutable.
/// </summary>
internal sealed class CodePointSet : IEquatable<CodePointSet>
{
    private const int FirstSurrogate = 0xD800,
        LastSurrogate = 0xDFFF,
        LastCodePoint = 0x10FFFF;

    private CodePointSet(ImmutableArray<CodePointRange> ranges) => Ranges = ranges;

    /// <summary>Every scalar value there is.</summary>
    public static CodePointSet All { get; } = Of((0, LastCodePoint));

    /// <summary>No scalar value at all.</summary>
    public static CodePointSet None { get; } = Of();

    /// <summary>The ranges, sorted by code point.</summary>
    public ImmutableArray<CodePointRange> Ranges { get; }

    /// <summary>A set from ranges in any order, which may overlap.</summary>
    public static CodePointSet Of(params ReadOnlySpan<(int First, int Last)> ranges)
    {
        var all = new List<CodePointRange>(ranges.Length);
        foreach ((int first, int last) in ranges)
            AddScalars(all, first, last);
        return new(Merge(all));
    }

    /// <summary>What is in this set, in the other, or in both.</summary>
    public CodePointSet Union(CodePointSet other) => new(Merge([.. Ranges, .. other.Ranges]));

    /// <summary>The scalar values that are not in this set.</summary>
    public CodePointSet Complement()
    {
        var gaps = new List<CodePointRange>(Ranges.Length + 2);
        int next = 0;
        foreach (CodePointRange range in Ranges)
        {
            AddScalars(gaps, next, range.First - 1);
            next = range.Last + 1;
        }
        AddScalars(gaps, next, LastCodePoint);
        return new([.. gaps]);
    }

    /// <summary>Whether a code point is in the set.</summary>
    public bool Contains(int codePoint) => AtLeast(codePoint) == codePoint;

    /// <summary>The first code point of the set that is not before a given one; -1 where there is none.</summary>
    public int AtLeast(int codePoint)
    {
        int low = 0,
            high = Ranges.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Ranges[middle].Last < codePoint)
                low = middle + 1;
            else
                high = middle;
        }
        return low < Ranges.Length ? Math.Max(codePoint, Ranges[low].First) : -1;
    }

    /// <inheritdoc/>
    public bool Equals(CodePointSet? other) =>
        other is not null && Ranges.AsSpan().SequenceEqual(other.Ranges.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CodePointSet);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Ranges.IsEmpty ? 0 : HashCode.Combine(Ranges.Length, Ranges[0].First, Ranges[^1].Last);

    private static void AddScalars(List<CodePointRange> to, int first, int last)
    {
        if (first < FirstSurrogate)
            AddRange(to, first, Math.Min(last, FirstSurrogate - 1));
        AddRange(to, Math.Max(first, LastSurrogate + 1), last);
    }

    private static void AddRange(List<CodePointRange> to, int first, int last)
    {
        if (first <= last)
            to.Add(new(first, last));
    }

    private static ImmutableArray<CodePointRange> Merge(List<CodePointRange> ranges)
    {
        ranges.Sort((a, b) => a.First.CompareTo(b.First));
        var merged = ImmutableArray.CreateBuilder<CodePointRange>(ranges.Count);
        foreach (CodePointRange range in ranges)
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
                merged[^1] = new(merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else
                merged.Add(range);
        return merged.ToImmutable();
    }
}
