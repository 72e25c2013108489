using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Model;

namespace GptOss.Tests.Kernels;

/// <summary>Queries [count, headDim] with the keys and values that they share, in pages of 64 positions.</summary>
internal sealed record AttentionHead(int HeadDim, float[] Queries, float[][] KeyPages, float[][] ValuePages)
{
    public static AttentionHead Random(int headDim, int positions, int seed, int queries = 1)
    {
        int pages = positions / 64;
        return new(
            headDim,
            Sample.Floats(queries * headDim, seed),
            [.. Enumerable.Range(1, pages).Select(page => Sample.Floats(headDim * 64, 100 * seed + page))],
            [.. Enumerable.Range(1, pages).Select(page => Sample.Floats(headDim * 64, 7000 + 100 * seed + page))]
        );
    }

    public int Count => Queries.Length / HeadDim;

    // What a query is multiplied by before it meets keys.
    private float Scale => (float)(1 / Math.Sqrt(HeadDim));

    public Rows QueryRows => new(Queries, HeadDim);

    public AttentionHead Only(int query) => this with { Queries = QueryRows[query].ToArray() };

    /// <summary>The state of queries that have seen nothing.</summary>
    public AttentionState Fresh()
    {
        AttentionState state = AttentionState.In(new float[Count * AttentionState.Floats(HeadDim)], HeadDim);
        state.Clear();
        return state;
    }

    public AttentionState WithSink(float sink)
    {
        AttentionState state = Fresh();
        state.Maxima.Fill(sink);
        state.Sums.Fill(1);
        return state;
    }

    public void Spoil(int position)
    {
        for (int d = 0; d < HeadDim; d++)
        {
            KeyPages[0][d * 64 + position] = float.NaN;
            ValuePages[0][position * HeadDim + d] = float.PositiveInfinity;
        }
    }

    /// <param name="from">First visible position.</param>
    /// <param name="to">End of the visible positions.</param>
    /// <param name="state">Takes them in.</param>
    /// <param name="ahead">Whether each page fetches the next one.</param>
    public void Fold(int from, int to, AttentionState state, bool ahead = false)
    {
        for (int page = from / 64; 64 * page < to; page++)
        {
            bool fetches = ahead && 64 * (page + 1) < to;
            ReadOnlySpan<byte> keys = fetches ? MemoryMarshal.AsBytes(KeyPages[page + 1].AsSpan()) : default;
            ReadOnlySpan<byte> values = fetches ? MemoryMarshal.AsBytes(ValuePages[page + 1].AsSpan()) : default;
            PageAttention.Fold(
                QueryRows,
                KeyPages[page],
                ValuePages[page],
                Math.Max(from - 64 * page, 0),
                Math.Min(to - 64 * page, 64),
                state,
                keys,
                values
            );
        }
    }

    /// <summary>What the pages give to the state, on registers of the test's choice.</summary>
    public void Fold(int from, int to, AttentionState state, int width)
    {
        for (int page = from / 64; 64 * page < to; page++)
        {
            int first = Math.Max(from - 64 * page, 0),
                end = Math.Min(to - 64 * page, 64);
            float[] keys = KeyPages[page],
                values = ValuePages[page];
            var scores = new Rows(new float[Count * 64], 64);
            var scaled = new Rows([.. Queries.Select(value => value * Scale)], HeadDim);
            Registers.Run(
                width,
                new PageProduct.AddProduct(scaled, keys, scores, 0, HeadDim, MemoryMarshal.AsBytes(keys.AsSpan()))
            );
            Registers.Run(width, new PageAttention.WeighScores(scores, first, end, state));
            Registers.Run(
                width,
                new PageProduct.AddProduct(
                    scores,
                    values,
                    state.Values,
                    first,
                    end,
                    MemoryMarshal.AsBytes(values.AsSpan())
                )
            );
        }
    }

    /// <summary>What the definition gives to the only query, whose last position is the one before the end.</summary>
    public float[] Defined(int from, int to, float sink)
    {
        float[] keys = new float[to * HeadDim],
            values = [.. ValuePages.SelectMany(page => page).Take(to * HeadDim)];
        for (int i = 0; i < keys.Length; i++)
            keys[i] = KeyPages[i / HeadDim / 64][i % HeadDim * 64 + i / HeadDim % 64];
        return AttentionDefinition.Of(Queries, new Rows(keys, HeadDim), new Rows(values, HeadDim), sink, to - from);
    }

    /// <summary>
    /// Σ e^s v / (e^sink + Σ e^s), its largest possible size, and the relative error that float32 may make.
    /// </summary>
    public (double[] Result, double Magnitude, double Error) Softmax(int from, int to, double sink)
    {
        int headDim = HeadDim;
        var scores = new double[to];
        double scoreError = 0;
        for (int p = from; p < to; p++)
        {
            double size = 0;
            for (int d = 0; d < headDim; d++)
            {
                double product = (double)Queries[d] * KeyPages[p / 64][d * 64 + p % 64];
                scores[p] += product;
                size += Math.Abs(product);
            }
            scoreError = Math.Max(scoreError, Math.ScaleB(size * headDim, -24));
        }
        double maximum = Math.Max(sink, scores[from..].Max()),
            sum = Math.Exp(sink - maximum),
            magnitude = 0;
        var result = new double[headDim];
        for (int p = from; p < to; p++)
        {
            double weight = Math.Exp(scores[p] - maximum);
            sum += weight;
            for (int i = 0; i < headDim; i++)
            {
                double value = ValuePages[p / 64][p % 64 * headDim + i];
                result[i] += weight * value;
                magnitude = Math.Max(magnitude, Math.Abs(value));
            }
        }
        for (int i = 0; i < headDim; i++)
            result[i] /= sum;
        // An error in a score is a relative one of its weight, above and below the line; Exp adds 2e-7 for the weight
        // and for each correction, of which there is one a page; each position rounds once.
        double error = 2 * (scoreError + (2 + to / 64) * 2e-7) + Math.ScaleB(to - from + 10, -24);
        return (result, magnitude, error);
    }
}
