namespace GptOss.Kernels;

/// <summary>
/// Attention of some queries so far: the running maxima, the sums of e^(score − maximum), and the values weighted
/// alike.
/// </summary>
/// <remarks>
/// The result is Values / Sums. A learned sink is a state of its own: maximum = sink, sum = 1, values zero.
/// </remarks>
internal readonly ref struct AttentionState(Rows values, Span<float> maxima, Span<float> sums)
{
    /// <summary>[queries, headDim].</summary>
    public Rows Values { get; } = values;

    /// <summary>[queries].</summary>
    public Span<float> Maxima { get; } = maxima;

    /// <summary>[queries].</summary>
    public Span<float> Sums { get; } = sums;

    /// <summary>Floats that the state of one query takes.</summary>
    public static int Floats(int headDim) => headDim + 2;

    /// <summary>
    /// A state in memory that holds <see cref="Floats"/> for each query; what stands there is its content.
    /// </summary>
    public static AttentionState In(Span<float> memory, int headDim)
    {
        int queries = memory.Length / Floats(headDim),
            values = queries * headDim;
        return new(new Rows(memory[..values], headDim), memory.Slice(values, queries), memory[(values + queries)..]);
    }

    public AttentionState Slice(int first, int count) =>
        new(
            new Rows(Values.Values.Slice(first * Values.Width, count * Values.Width), Values.Width),
            Maxima.Slice(first, count),
            Sums.Slice(first, count)
        );

    /// <summary>Makes it the state of queries that have seen nothing.</summary>
    public void Clear()
    {
        Values.Values.Clear();
        Maxima.Fill(float.NegativeInfinity);
        Sums.Clear();
    }

    /// <summary>Takes in the state of later positions, query by query.</summary>
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
