namespace GptOss.Kernels;

/// <summary>
/// The unfinished attention of some queries over the positions they have seen so far. For each query the state holds
/// the largest score, the sum of e^(score − largest score), and the sum of the value vectors, each multiplied by its
/// e^(score − largest score).
/// </summary>
/// <remarks>
/// The attention of query q is Values[q] / Sums[q]. Positions can be added page by page, and states of different
/// positions can be merged, without keeping any score. A learned sink is a state of its own: its maximum is the sink,
/// its sum is 1 and its values are zero.
/// </remarks>
internal readonly ref struct AttentionState(Rows values, Span<float> maxima, Span<float> sums)
{
    /// <summary>Weighted sums of values, [queries, headDim].</summary>
    public Rows Values { get; } = values;

    /// <summary>Largest score so far, [queries].</summary>
    public Span<float> Maxima { get; } = maxima;

    /// <summary>Sums of the exponentials, [queries].</summary>
    public Span<float> Sums { get; } = sums;

    /// <summary>Number of floats that the state of one query takes.</summary>
    public static int Floats(int headDim) => headDim + 2;

    /// <summary>
    /// Reads memory as a state: <see cref="Floats"/> floats for each query, whose present content is the state.
    /// </summary>
    public static AttentionState In(Span<float> memory, int headDim)
    {
        int queries = memory.Length / Floats(headDim),
            values = queries * headDim;
        return new(new Rows(memory[..values], headDim), memory.Slice(values, queries), memory[(values + queries)..]);
    }

    /// <summary>The state of <paramref name="count"/> queries from query <paramref name="first"/> on.</summary>
    public AttentionState Slice(int first, int count) =>
        new(
            new Rows(Values.Values.Slice(first * Values.Width, count * Values.Width), Values.Width),
            Maxima.Slice(first, count),
            Sums.Slice(first, count)
        );

    /// <summary>Sets the state of queries that have seen no position yet.</summary>
    public void Clear()
    {
        Values.Values.Clear();
        Maxima.Fill(float.NegativeInfinity);
        Sums.Clear();
    }

    /// <summary>Adds the state that the same queries have over later positions.</summary>
    public void Merge(in AttentionState later)
    {
        for (int q = 0; q < Sums.Length; q++)
        {
            if (later.Sums[q] == 0)
                continue;
            float maximum = later.Maxima[q] > Maxima[q] ? later.Maxima[q] : Maxima[q];
            float mine = Exp.Of(Maxima[q] - maximum),
                theirs = Exp.Of(later.Maxima[q] - maximum);
            Sums[q] = Sums[q] * mine + later.Sums[q] * theirs;
            Span<float> values = Values[q],
                others = later.Values[q];
            for (int i = 0; i < values.Length; i++)
                values[i] = values[i] * mine + others[i] * theirs;
            Maxima[q] = maximum;
        }
    }
}
