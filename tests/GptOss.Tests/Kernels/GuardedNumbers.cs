using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using static GptOss.Tests.Kernels.GuardedKernel;

namespace GptOss.Tests.Kernels;

/// <summary>The kernels of matrices of numbers, for guard pages: every format, for few tokens and many.</summary>
internal static class GuardedNumbers
{
    public static IEnumerable<GuardedKernel> All =>
        [
            .. Of<BFloat16>(),
            .. Of<Float16>(),
            .. Of<Float32>(),
            .. Of<Q8_0>(),
            .. Of<Q4_0>(),
            .. Of<Q4_1>(),
            .. Of<Q5_0>(),
            .. Of<Q5_1>(),
            .. Of<IQ4_NL>(),
            .. Of<Q2_K>(),
            .. Of<Q3_K>(),
            .. Of<Q4_K>(),
            .. Of<Q5_K>(),
            .. Of<Q6_K>(),
            .. Of<IQ4_XS>(),
        ];

    /// <summary>Random weights that are all finite: no half has an exponent whose bits are all set.</summary>
    public static byte[] Weights<TNumbers>(int rows, int values, int seed)
        where TNumbers : struct, INumberFormat =>
        Array.ConvertAll(Sample.Bytes((int)ByOutput<TNumbers>.Bytes(rows, values), seed), value =>
            (byte)(value & 0b1011_1011)
        );

    /// <summary>Sizes in blocks.</summary>
    public static int[] Sizes<TNumbers>()
        where TNumbers : struct, INumberFormat =>
        TNumbers.BlockValues switch
        {
            1 => UpTo(67),
            32 => UpTo(9),
            _ => UpTo(3),
        };

    private static IEnumerable<GuardedKernel> Of<TNumbers>()
        where TNumbers : struct, INumberFormat =>
        [
            OfLanes(typeof(ByOutput<TNumbers>.WidenNumbers), Sizes<TNumbers>(), Widen<TNumbers>),
            OfLanes(typeof(ByOutput<TNumbers>.MultiplyByOutput), Sizes<TNumbers>(), MultiplyByOutput<TNumbers>),
            OfLanes(typeof(ByInput<TNumbers>.MultiplyByInput), Sizes<TNumbers>(), MultiplyByInput<TNumbers>),
            OfLanes(typeof(ByInput<TNumbers>.MultiplyStripsByInput), Sizes<TNumbers>(), MultiplyStrips<TNumbers>),
            OfLanes(typeof(ThinProduct<TNumbers>), Sizes<TNumbers>(), AddThin<TNumbers>),
        ];

    private static Action<Fence, int> Widen<TNumbers>(int blocks)
        where TNumbers : struct, INumberFormat
    {
        int inputs = blocks * TNumbers.BlockValues;
        byte[] row = Weights<TNumbers>(1, inputs, seed: blocks);
        float[] expected = [.. Enumerable.Range(0, inputs).Select(k => TNumbers.Value(row, k))];
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[inputs]);
            Registers.Run(width, new ByOutput<TNumbers>.WidenNumbers(fence.Of<byte>(row), y));
            Sample.AssertSameBits(expected, y, $"row of {inputs}");
        };
    }

    // One token, and five that make a tile of four and a rest.
    private static Action<Fence, int> MultiplyByOutput<TNumbers>(int blocks)
        where TNumbers : struct, INumberFormat
    {
        int inputs = blocks * TNumbers.BlockValues,
            outputs = 1 + blocks % 5,
            bytes = (int)ByOutput<TNumbers>.Bytes(1, inputs);
        byte[] w = Weights<TNumbers>(outputs, inputs, seed: blocks);
        float[] x = Sample.Floats(5 * inputs, seed: 2),
            expected = Defined(5, outputs, (t, o) =>
                ByOutput<TNumbers>.DotScalar(w.AsSpan(o * bytes, bytes), x.AsSpan(t * inputs, inputs))
            );
        return (fence, width) =>
        {
            foreach (int tokens in (int[])[1, 5])
            {
                Span<float> y = fence.Of<float>(new float[tokens * outputs]);
                var rows = new Rows(fence.Of<float>(x.AsSpan(0, tokens * inputs)), inputs);
                Registers.Run(
                    width,
                    new ByOutput<TNumbers>.MultiplyByOutput(fence.Of<byte>(w), outputs, rows, new Rows(y, outputs), 0)
                );
                Sample.AssertSameBits(expected.AsSpan(0, y.Length), y, $"{outputs} × {inputs}, {tokens} tokens");
            }
        };
    }

    private static Action<Fence, int> MultiplyByInput<TNumbers>(int blocks)
        where TNumbers : struct, INumberFormat
    {
        ByInputMatrix<TNumbers> m = new(blocks, tokens: 2);
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[m.Expected.Length]);
            Registers.Run(
                width,
                new ByInput<TNumbers>.MultiplyByInput(
                    fence.Of<byte>(m.Weights),
                    0,
                    m.Outputs,
                    new Rows(fence.Of<float>(m.X), m.Inputs),
                    new Rows(y, m.Outputs)
                )
            );
            Sample.AssertSameBits(m.Expected, y, $"{m.Outputs} × {m.Inputs}, 2 tokens");
        };
    }

    private static Action<Fence, int> MultiplyStrips<TNumbers>(int blocks)
        where TNumbers : struct, INumberFormat
    {
        ByInputMatrix<TNumbers> m = new(blocks, tokens: 5);
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(new float[m.Expected.Length]);
            Registers.Run(
                width,
                new ByInput<TNumbers>.MultiplyStripsByInput(
                    fence.Of<byte>(m.Weights),
                    0,
                    m.Outputs,
                    new Rows(fence.Of<float>(m.X), m.Inputs),
                    new Rows(y, m.Outputs),
                    fence.Of<float>(new float[ByInput<TNumbers>.ScratchFloats(m.Inputs, 5)])
                )
            );
            Sample.AssertSameBits(m.Expected, y, $"{m.Outputs} × {m.Inputs}, 5 tokens");
        };
    }

    private static Action<Fence, int> AddThin<TNumbers>(int blocks)
        where TNumbers : struct, INumberFormat
    {
        const int rank = 3,
            tokens = 5;
        int outputs = blocks * TNumbers.BlockValues;
        byte[] w = Weights<TNumbers>(rank, outputs, seed: blocks);
        float[] u = Sample.Floats(tokens * rank, seed: 2),
            before = Sample.Floats(tokens * outputs, seed: 3),
            expected = Defined(tokens, outputs, (t, o) =>
                before[t * outputs + o] + ThinProduct<TNumbers>.SumScalar(w, outputs, u.AsSpan(t * rank, rank), o)
            );
        return (fence, width) =>
        {
            Span<float> y = fence.Of<float>(before);
            Registers.Run(
                width,
                new ThinProduct<TNumbers>(
                    fence.Of<byte>(w),
                    new Rows(fence.Of<float>(u), rank),
                    0,
                    outputs,
                    new Rows(y, outputs)
                )
            );
            Sample.AssertSameBits(expected, y, $"{outputs} × {rank}, {tokens} tokens");
        };
    }

    /// <summary>A matrix that is stored input by input, with the products that its columns define.</summary>
    private sealed class ByInputMatrix<TNumbers>
        where TNumbers : struct, INumberFormat
    {
        public ByInputMatrix(int blocks, int tokens)
        {
            Outputs = blocks * TNumbers.BlockValues;
            Inputs = 15 + blocks % 4;
            Weights = Weights<TNumbers>(Inputs, Outputs, seed: blocks);
            X = Sample.Floats(tokens * Inputs, seed: 2);
            float[][] columns =
            [
                .. Enumerable
                    .Range(0, Outputs)
                    .Select(o =>
                        Enumerable.Range(0, Inputs).Select(k => TNumbers.Value(Weights, k * Outputs + o)).ToArray()
                    ),
            ];
            Expected = Defined(tokens, Outputs, (t, o) =>
                ByOutput<Float32>.DotScalar(MemoryMarshal.AsBytes(columns[o].AsSpan()), X.AsSpan(t * Inputs, Inputs))
            );
        }

        public int Outputs { get; }

        public int Inputs { get; }

        public byte[] Weights { get; }

        public float[] X { get; }

        public float[] Expected { get; }
    }
}
