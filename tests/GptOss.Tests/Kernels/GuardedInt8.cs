using System.Globalization;
using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;
using static GptOss.Tests.Kernels.GuardedKernel;

namespace GptOss.Tests.Kernels;

/// <summary>
/// The kernels that quantise activations, pack panels of 8-bit weights and multiply both, for guard pages.
/// </summary>
internal static class GuardedInt8
{
    private static readonly int[] Sizes = UpTo(67);

    public static IEnumerable<GuardedKernel> All =>
        [
            OfLanes(typeof(Int8Row.QuantizeToBlockOrder), Sizes, ToBlockOrder),
            OfWideDots(typeof(Int8Row.QuantizeToLaneOrder<>), Sizes, ToLaneOrder),
            OfWideDots(typeof(Int8.QuantizeForInt8Panels), Sizes, ForPanels),
            OfDots(typeof(Mxfp4Int8.QuantizeForMxfp4Strips), UpTo(19), ForStrips),
            OfWideDots(typeof(Int8.MultiplyInt8Panels), Sizes, MultiplyPanels),
            OfWideDots(typeof(Int8.WidenInt8Row), Sizes, WidenRow),
            Packing<BFloat16>(),
            Packing<Float16>(),
            Packing<Float32>(),
            Packing<Q8_0>(),
            Packing<Q4_0>(),
            Packing<Q4_1>(),
            Packing<Q5_0>(),
            Packing<Q5_1>(),
            Packing<IQ4_NL>(),
            Packing<Q2_K>(),
            Packing<Q3_K>(),
            Packing<Q4_K>(),
            Packing<Q5_K>(),
            Packing<Q6_K>(),
            Packing<IQ4_XS>(),
        ];

    private static GuardedKernel Packing<TNumbers>()
        where TNumbers : struct, INumberFormat =>
        OfWideDots(typeof(Int8.PackInt8Panel<TNumbers>), GuardedNumbers.Sizes<TNumbers>(), Pack<TNumbers>);

    // More than sixteen blocks, the last one incomplete.
    private static int Inputs(int size) => 9 * size + size % 2;

    // The expected rows are those of single lanes in ordinary memory.
    private static Action<Fence, int> ToBlockOrder(int size)
    {
        float[] x = Sample.Floats(Inputs(size), seed: size),
            expected = new float[Int8Row.Width(x.Length)];
        Registers.Run(1, new Int8Row.QuantizeToBlockOrder(x, expected, 128, 1));
        return (fence, width) =>
        {
            Span<float> row = fence.Of<float>(new float[expected.Length]);
            Registers.Run(width, new Int8Row.QuantizeToBlockOrder(fence.Of<float>(x), row, 128, 1));
            Sample.AssertSameBits(expected, row, $"{x.Length} activations");
        };
    }

    private static Action<Fence, string> ToLaneOrder(int size)
    {
        float[] x = Sample.Floats(Inputs(size), seed: size);
        int width = Int8Row.Width(x.Length);
        return (fence, kind) =>
        {
            float[] expected = new float[width];
            Registers.Run(kind, new QuantizeAt(1, x, expected));
            foreach (string lanes in Registers.WidthNames)
            {
                Span<float> row = fence.Of<float>(new float[width]);
                Registers.Run(
                    kind,
                    new QuantizeAt(int.Parse(lanes, CultureInfo.InvariantCulture), fence.Of<float>(x), row)
                );
                Sample.AssertSameBits(expected, row, $"{x.Length} activations, lanes {lanes}");
            }
        };
    }

    private static Action<Fence, string> ForPanels(int size)
    {
        float[] x = Sample.Floats(Inputs(size), seed: size);
        return (fence, kind) =>
        {
            float[] expected = new float[Int8Row.Width(x.Length)];
            Registers.Run(kind, new QuantizeAt(1, x, expected));
            Span<float> row = fence.Of<float>(new float[expected.Length]);
            Registers.Run(kind, new Int8.QuantizeForInt8Panels(fence.Of<float>(x), row));
            Sample.AssertSameBits(expected, row, $"{x.Length} activations");
        };
    }

    private static Action<Fence, string> ForStrips(int blocks)
    {
        float[] x = Sample.Floats(32 * blocks, seed: blocks);
        return (fence, kind) =>
        {
            foreach (bool inHalves in (bool[])[false, true])
            {
                float[] expected = new float[Int8Row.Width(x.Length)];
                Registers.Run(kind, new QuantizeAt(1, x, expected, Mxfp4Doubled.Offset, 0.5f, inHalves));
                Span<float> row = fence.Of<float>(new float[expected.Length]);
                Registers.Run(kind, new Mxfp4Int8.QuantizeForMxfp4Strips(fence.Of<float>(x), row, inHalves));
                Sample.AssertSameBits(expected, row, $"{x.Length} activations, in halves: {inHalves}");
            }
        };
    }

    // One token, and seven: a tile of six or four and a rest.
    private static Action<Fence, string> MultiplyPanels(int size)
    {
        int inputs = Inputs(size),
            outputs = 1 + 5 * size % 40,
            width = Int8Row.Width(inputs);
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: size);
        float[] x = Sample.Floats(7 * inputs, seed: 2),
            expected = Defined(7, outputs, (t, o) =>
                Int8.DotScalar(w.AsSpan(o * inputs, inputs), x.AsSpan(t * inputs, inputs))
            );
        return (fence, kind) =>
        {
            foreach (int tokens in (int[])[1, 7])
            {
                Span<float> y = fence.Of<float>(new float[tokens * outputs]),
                    row = fence.Of<float>(x),
                    quantized = fence.Of<float>(new float[tokens * width]);
                for (int t = 0; t < tokens; t++)
                    Registers.Run(
                        kind,
                        new Int8.QuantizeForInt8Panels(row.Slice(t * inputs, inputs), quantized.Slice(t * width, width))
                    );
                Span<byte> panels = fence.Of<byte>(new byte[Int8.Bytes(outputs, inputs)]);
                int bytes = (int)Int8.PanelBytes(inputs);
                for (int p = 0; p * 32 < outputs; p++)
                    Registers.Run(
                        kind,
                        new Int8.PackInt8Panel<BFloat16>(
                            MemoryMarshal.AsBytes(w.AsSpan(p * 32 * inputs, Math.Min(32, outputs - p * 32) * inputs)),
                            inputs,
                            panels.Slice(p * bytes, bytes)
                        )
                    );
                Registers.Run(
                    kind,
                    new Int8.MultiplyInt8Panels(panels, inputs, new Rows(quantized, width), new Rows(y, outputs), 0)
                );
                Sample.AssertSameBits(expected.AsSpan(0, y.Length), y, $"{outputs} × {inputs}, {tokens} tokens");
            }
        };
    }

    private static Action<Fence, string> WidenRow(int size)
    {
        int inputs = Inputs(size),
            outputs = 1 + 5 * size % 32;
        byte[] w = GuardedNumbers.Weights<BFloat16>(outputs, inputs, seed: size);
        float[] expected = Quantized<BFloat16>(w, inputs);
        return (fence, kind) =>
        {
            byte[] packed = new byte[Int8.PanelBytes(inputs)];
            Registers.Run(kind, new Int8.PackInt8Panel<BFloat16>(w, inputs, packed));
            Span<byte> panel = fence.Of<byte>(packed);
            Span<float> row = fence.Of<float>(new float[inputs]);
            foreach (int output in (int[])[0, outputs - 1])
            {
                Registers.Run(kind, new Int8.WidenInt8Row(panel, output, row));
                Sample.AssertSameBits(
                    expected.AsSpan(output * inputs, inputs),
                    row,
                    $"output {output} of {outputs} × {inputs}"
                );
            }
        };
    }

    private static Action<Fence, string> Pack<TNumbers>(int blocks)
        where TNumbers : struct, INumberFormat
    {
        int inputs = blocks * TNumbers.BlockValues,
            outputs = blocks % 2 == 0 ? 32 : 3;
        byte[] w = GuardedNumbers.Weights<TNumbers>(outputs, inputs, seed: blocks);
        float[] expected = Quantized<TNumbers>(w, inputs);
        return (fence, kind) =>
        {
            Span<byte> panel = fence.Of<byte>(new byte[Int8.PanelBytes(inputs)]);
            Registers.Run(kind, new Int8.PackInt8Panel<TNumbers>(fence.Of<byte>(w), inputs, panel));
            float[] row = new float[inputs];
            for (int output = 0; output < outputs; output++)
            {
                Registers.Run(kind, new Int8.WidenInt8Row(panel, output, row));
                Sample.AssertSameBits(
                    expected.AsSpan(output * inputs, inputs),
                    row,
                    $"output {output} of {outputs} × {inputs}"
                );
            }
        };
    }

    // A block's scale is the largest magnitude / 127, rounded up to bfloat16.
    private static float[] Quantized<TNumbers>(byte[] w, int inputs)
        where TNumbers : struct, INumberFormat
    {
        int rowBytes = (int)ByOutput<TNumbers>.Bytes(1, inputs);
        float[] quantized = new float[w.Length / rowBytes * inputs];
        for (int at = 0; at < quantized.Length; at += Math.Min(32, inputs - at % inputs))
        {
            Span<float> block = quantized.AsSpan(at, Math.Min(32, inputs - at % inputs));
            float largest = 0;
            for (int i = 0; i < block.Length; i++)
            {
                block[i] = TNumbers.Value(w.AsSpan(at / inputs * rowBytes, rowBytes), at % inputs + i);
                largest = Math.Max(largest, MathF.Abs(block[i]));
            }
            uint bits = BitConverter.SingleToUInt32Bits(largest / 127);
            float scale = BitConverter.UInt32BitsToSingle(bits + 0xFFFF & 0xFFFF_0000u);
            foreach (ref float value in block)
                value = scale == 0 ? 0 : (int)MathF.Round(value / scale) * scale;
        }
        return quantized;
    }

    /// <summary>Quantises for a kind of integer registers in lanes of the test's choice.</summary>
    private readonly ref struct QuantizeAt(
        int lanes,
        ReadOnlySpan<float> x,
        Span<float> row,
        int offset = 128,
        float factor = 1,
        bool inHalves = false
    ) : IDotsKernel
    {
        private readonly int _lanes = lanes;
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;
        private readonly int _offset = offset;
        private readonly float _factor = factor;
        private readonly bool _inHalves = inHalves;

        public void Run<T>()
            where T : struct, IDots<T> =>
            Registers.Run(_lanes, new Int8Row.QuantizeToLaneOrder<T>(_x, _row, _offset, _factor, _inHalves));
    }
}
