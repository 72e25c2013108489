using System.Runtime.InteropServices;
using GptOss.Kernels;
using static GptOss.Tests.Kernels.GuardedKernel;

namespace GptOss.Tests.Kernels;

/// <summary>The kernels of activations, logits and pages, for guard pages.</summary>
internal static class GuardedElementwise
{
    private static readonly int[] Sizes = UpTo(67);

    public static IEnumerable<GuardedKernel> All =>
        [
            OfLanes(typeof(RmsNorm.NormalizeRow), Sizes, Normalize),
            OfLanes(typeof(Softmax.WeighLogits), Sizes, Weigh),
            OfLanes(typeof(SwiGlu.ApplySwiGlu), Sizes, Activate),
            OfLanes(typeof(Int8Page.WidenKeyPage), Sizes, WidenKeys),
            OfLanes(typeof(Int8Page.WidenValuePage), Sizes, WidenValues),
            OfLanes(typeof(PageProduct.AddProduct), Sizes, AddProducts),
            OfLanes(typeof(PageAttention.WeighScores), Sizes, WeighScores),
        ];

    private static Action<Fence, int> Normalize(int hidden)
    {
        float[] x = Sample.Floats(hidden, seed: hidden),
            weight = Sample.Floats(hidden, seed: 1),
            lanes = new float[16];
        for (int k = 0; k < hidden; k++)
            lanes[k % 16] = MathF.FusedMultiplyAdd(x[k], x[k], lanes[k % 16]);
        for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
        float scale = 1 / MathF.Sqrt(lanes[0] / hidden + 1e-5f);
        float[] expected = [.. x.Zip(weight, (value, factor) => value * scale * factor)];
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[hidden]);
            Registers.Run(width, new RmsNorm.NormalizeRow(fence.Of<float>(x), fence.Of<float>(weight), 1e-5f, y));
            Sample.AssertSameBits(expected, y, $"norm of {hidden}");
        };
    }

    private static Action<Fence, int> Weigh(int vocab)
    {
        float[] x = [.. Sample.Floats(vocab, seed: vocab).Select(value => 60 * value)],
            expected = [.. x.Select(value => Exp.Of((value - 50f) / 0.6f))];
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[vocab]);
            Registers.Run(width, new Softmax.WeighLogits(fence.Of<float>(x), 50f, 0.6f, y));
            Sample.AssertSameBits(expected, y, $"{vocab} logits");
        };
    }

    // Gates and linear parts that alternate, and those that lie apart.
    private static Action<Fence, int> Activate(int count)
    {
        float[] gates = [.. Sample.Floats(count, seed: count).Select(value => 20 * value)],
            linears = [.. Sample.Floats(count, seed: count + 1).Select(value => 20 * value)],
            pairs = [.. gates.Zip(linears).SelectMany(pair => (float[])[pair.First, pair.Second])],
            expected = [.. gates.Zip(linears, Defined)];
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[count]);
            Registers.Run(width, new SwiGlu.ApplySwiGlu(fence.Of<float>(pairs), default, 7f, y, 1.702f));
            Sample.AssertSameBits(expected, y, $"{count} pairs");

            y.Clear();
            Registers.Run(
                width,
                new SwiGlu.ApplySwiGlu(fence.Of<float>(gates), fence.Of<float>(linears), 7f, y, 1.702f)
            );
            Sample.AssertSameBits(expected, y, $"{count} pairs that lie apart");
        };

        static float Defined(float gate, float linear)
        {
            gate = Math.Min(gate, 7);
            return gate / (1 + Exp.Of(gate * -1.702f)) * (Math.Clamp(linear, -7, 7) + 1);
        }
    }

    private static Action<Fence, int> WidenKeys(int headDim)
    {
        (sbyte[] bytes, float[] scales) = Page(headDim);
        float[] expected = [.. bytes.Select((value, i) => value * scales[i % 64])];
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[bytes.Length]);
            Registers.Run(width, new Int8Page.WidenKeyPage(fence.Of<sbyte>(bytes), fence.Of<float>(scales), y));
            Sample.AssertSameBits(expected, y, $"keys of {headDim}");
        };
    }

    private static Action<Fence, int> WidenValues(int headDim)
    {
        (sbyte[] bytes, float[] scales) = Page(headDim);
        float[] expected = [.. bytes.Select((value, i) => value * scales[i / headDim])];
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[bytes.Length]);
            Registers.Run(width, new Int8Page.WidenValuePage(fence.Of<sbyte>(bytes), fence.Of<float>(scales), y));
            Sample.AssertSameBits(expected, y, $"values of {headDim}");
        };
    }

    private static (sbyte[] Bytes, float[] Scales) Page(int headDim) =>
        (
            Array.ConvertAll(Sample.Bytes(64 * headDim, seed: headDim), value => (sbyte)value),
            Sample.Floats(64, seed: 1)
        );

    // Five queries: four that share a tile, and one. Scores have the headDim as their inner size, results as theirs.
    private static Action<Fence, int> AddProducts(int headDim)
    {
        const int queries = 5;
        float[] keys = Sample.Floats(headDim * 64, seed: headDim),
            q = Sample.Floats(queries * headDim, seed: 1),
            weights = Sample.Floats(queries * 64, seed: 2),
            scores = new float[queries * 64],
            results = new float[queries * headDim];
        PageProduct.AddScalar(new Rows(q, headDim), keys, new Rows(scores, 64), 0, headDim);
        PageProduct.AddScalar(new Rows(weights, 64), keys, new Rows(results, headDim), 5, 38);
        return (fence, width) =>
        {
            Span<float> page = fence.Of<float>(keys),
                y = fence.Of<float>(new float[scores.Length]),
                z = fence.Of<float>(new float[results.Length]);
            Span<byte> next = MemoryMarshal.AsBytes(page);
            Registers.Run(
                width,
                new PageProduct.AddProduct(
                    new Rows(fence.Of<float>(q), headDim),
                    page,
                    new Rows(y, 64),
                    0,
                    headDim,
                    next
                )
            );
            Sample.AssertSameBits(scores, y, $"scores of {headDim}");
            Registers.Run(
                width,
                new PageProduct.AddProduct(
                    new Rows(fence.Of<float>(weights), 64),
                    page,
                    new Rows(z, headDim),
                    5,
                    38,
                    next
                )
            );
            Sample.AssertSameBits(results, z, $"results of {headDim}");
        };
    }

    // The expected weights are those of single lanes in ordinary memory.
    private static Action<Fence, int> WeighScores(int headDim)
    {
        const int queries = 3;
        int from = headDim % 5,
            to = 64 - headDim % 7;
        float[] scores = Sample.Floats(queries * 64, seed: headDim),
            memory = Sample.Floats(queries * AttentionState.Floats(headDim), seed: 1);
        float[] expectedScores = [.. scores],
            expected = [.. memory];
        Run(1, expectedScores, expected);
        return (fence, width) =>
        {
            Span<float> s = fence.Of<float>(scores),
                state = fence.Of<float>(memory);
            Run(width, s, state);
            Sample.AssertSameBits(expectedScores, s, $"weights of positions {from} to {to}");
            Sample.AssertSameBits(expected, state, $"state of {headDim} values");
        };

        void Run(int width, Span<float> s, Span<float> state) =>
            Registers.Run(
                width,
                new PageAttention.WeighScores(new Rows(s, 64), from, to, AttentionState.In(state, headDim))
            );
    }
}
