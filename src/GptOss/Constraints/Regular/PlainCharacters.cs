namespace GptOss.Constraints.Regular;

/// <summary>
/// Characters that stand for themselves in every JSON string: all but <c>"</c>, <c>\</c>, those below U+0020, and the
/// line ends U+2028 and U+2029.
/// </summary>
internal static class PlainCharacters
{
    private static readonly CodePointSet _all = CodePointSet
        .Of((0, 0x1F), ('"', '"'), ('\\', '\\'), (0x2028, 0x2029))
        .Complement();

    /// <summary>How many plain characters there are.</summary>
    public static int Count { get; } = _all.Ranges.Sum(range => range.Last - range.First + 1);

    /// <summary>How many plain characters a list of disjoint edges reads.</summary>
    public static int In(ReadOnlySpan<DfaEdge> edges)
    {
        int count = 0;
        foreach (DfaEdge edge in edges)
            count += In(edge);
        return count;
    }

    /// <summary>How many plain characters an edge reads.</summary>
    public static int In(DfaEdge edge)
    {
        int count = 0;
        foreach (CodePointRange range in _all.Ranges)
            count += Math.Max(0, Math.Min(range.Last, edge.Last) - Math.Max(range.First, edge.First) + 1);
        return count;
    }
}
