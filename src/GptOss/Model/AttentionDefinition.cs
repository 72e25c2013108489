using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// The definition of attention, number by number, for one query of one head. <see cref="Attention"/> computes the same
/// for many rows and heads at once, and every one of its results has the bits of this one.
/// </summary>
/// <remarks>
/// The result is <c>Σ e^s[p] · v[p] / (e^sink + Σ e^s[p])</c> with <c>s[p] = Σ q[d] / √headDim · k[p, d]</c>, where p
/// runs over the last positions, as many as the window has. So that no exponential overflows, the largest score so far
/// is subtracted from every score, and what was summed with a smaller one is scaled down when it grows.
/// <para>Order of the sums (docs/decisions/0002): the scaled query is rounded first; a score adds d ascending. A page
/// adds the exponentials of its 64 positions to sixteen lanes and these by a tree, and the values position by position.
/// Pages are added ascending within a split of 4,096 positions, which begins afresh, and splits ascending to a state
/// that begins with the sink. Pages and splits lie at absolute positions, whatever the window is.</para>
/// </remarks>
internal static class AttentionDefinition
{
    /// <summary>Positions of a split, those of 64 pages.</summary>
    public const int SplitPositions = 64 * PageGroup.Positions;

    /// <summary>The attention of a query at the last of the given positions.</summary>
    /// <param name="query">The rotated query, [headDim].</param>
    /// <param name="keys">The keys of all positions as the store gives them back, [positions, headDim].</param>
    /// <param name="values">The values of all positions as the store gives them back, [positions, headDim].</param>
    /// <param name="sink">The learned score that has no value.</param>
    /// <param name="window">How many of the last positions the query sees.</param>
    /// <returns>The weighted mean of the values, [headDim].</returns>
    public static float[] Of(ReadOnlySpan<float> query, Rows keys, Rows values, float sink, int window)
    {
        int end = keys.Count,
            first = Math.Max(0, end - window);
        float[] total = new float[query.Length];
        float maximum = sink,
            sum = 1; // e^(sink − sink)
        for (int split = first / SplitPositions * SplitPositions; split < end; split += SplitPositions)
        {
            float[] more = new float[query.Length];
            int from = Math.Max(first, split),
                to = Math.Min(end, split + SplitPositions);
            (float most, float added) = AddSplit(query, keys, values, from, to, more);
            float largest = most > maximum ? most : maximum,
                mine = Exp.Of(maximum - largest),
                theirs = Exp.Of(most - largest);
            sum = sum * mine + added * theirs;
            for (int i = 0; i < total.Length; i++)
                total[i] = total[i] * mine + more[i] * theirs;
            maximum = largest;
        }
        return Array.ConvertAll(total, value => value / sum);
    }

    // Adds the weighted values of the positions of one split; returns their largest score and the sum of their weights.
    private static (float Maximum, float Sum) AddSplit(
        ReadOnlySpan<float> query,
        Rows keys,
        Rows values,
        int first,
        int end,
        float[] total
    )
    {
        const int Positions = PageGroup.Positions;
        float scale = (float)(1 / Math.Sqrt(query.Length));
        float maximum = float.NegativeInfinity,
            sum = 0;
        float[] scores = new float[Positions];
        for (int page = first / Positions * Positions; page < end; page += Positions)
        {
            int from = Math.Max(first, page),
                to = Math.Min(end, page + Positions);
            float largest = maximum;
            for (int p = from; p < to; p++)
            {
                float score = 0;
                for (int d = 0; d < query.Length; d++)
                    score = MathF.FusedMultiplyAdd(query[d] * scale, keys[p][d], score);
                scores[p - page] = score;
                largest = score > largest ? score : largest;
            }
            float correction = largest > maximum ? Exp.Of(maximum - largest) : 1;
            for (int i = 0; i < total.Length; i++)
                total[i] *= correction;
            float[] lanes = new float[16];
            for (int p = from; p < to; p++)
            {
                float weight = Exp.Of(scores[p - page] - largest);
                lanes[p % 16] += weight;
                for (int i = 0; i < total.Length; i++)
                    total[i] = MathF.FusedMultiplyAdd(weight, values[p][i], total[i]);
            }
            for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                lanes[i] += lanes[i + half];
            sum = sum * correction + lanes[0];
            maximum = largest;
        }
        return (maximum, sum);
    }
}
