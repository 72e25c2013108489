using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// Matrices of int8 rows with a bfloat16 scale for 32 weights, derived from bfloat16 rows: <c>y[t, r] = Σ_b (Σ w · q) ·
/// (scale_w · scale_x) + bias[r]</c>.
/// </summary>
/// <remarks>
/// scale_w = max|w| / 127 of the block, rounded up to bfloat16, and the integer weight is w / scale_w to nearest, ties
/// to even: 8.5 bits a weight. The rows lie in panels of 32, in the layout that this process's registers want; a last
/// panel is filled up with zero rows. The order of the sum is that of <see cref="Int8Panel"/>.
/// </remarks>
internal static class Int8
{
    /// <summary>Makes a weight a number without sign, where the instructions want that.</summary>
    private const int Offset = 128;

    public static long PanelBytes(int inputs) => Int8Panel.Bytes<BFloat16Scales>(inputs);

    /// <summary>The bytes of a matrix.</summary>
    public static long Bytes(int rows, int inputs) =>
        (rows + Int8Panel.Rows - 1) / Int8Panel.Rows * PanelBytes(inputs);

    /// <summary>The definition of the weights: scale and integers of one block.</summary>
    internal static float QuantizeScalar(ReadOnlySpan<ushort> weights, Span<sbyte> q)
    {
        uint maximum = 0;
        foreach (ushort w in weights)
            maximum = Math.Max(maximum, w & 0x7FFFu);
        float scale = RoundUp(BFloat16.ToSingle((ushort)maximum) / 127);
        q.Clear();
        for (int i = 0; i < weights.Length; i++)
            q[i] =
                scale > 0 && float.IsFinite(scale)
                    ? (sbyte)MathF.Round(BFloat16.ToSingle(weights[i]) / scale)
                    : (sbyte)0;
        return scale;
    }

    /// <summary>The next bfloat16 that is not smaller.</summary>
    private static float RoundUp(float scale) =>
        BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(scale) + 0xFFFF & 0xFFFF_0000u);

    /// <summary>The definition. Every faster path is tested against this one.</summary>
    internal static float DotScalar(ReadOnlySpan<ushort> weights, ReadOnlySpan<float> x)
    {
        Span<float> lanes = stackalloc float[Lanes.Count];
        lanes.Clear();
        Span<sbyte> w = stackalloc sbyte[Int8Row.BlockValues],
            q = stackalloc sbyte[Int8Row.BlockValues];
        for (int b = 0; b < Int8Row.Blocks(x.Length); b++)
        {
            int from = b * Int8Row.BlockValues,
                count = Math.Min(Int8Row.BlockValues, x.Length - from),
                sum = 0;
            float weightScale = QuantizeScalar(weights.Slice(from, count), w);
            float scale = Int8Row.QuantizeScalar(x.Slice(from, count), q);
            for (int k = 0; k < count; k++)
                sum += w[k] * q[k];
            ref float lane = ref lanes[Int8Row.Lane(b)];
            lane = MathF.FusedMultiplyAdd(sum, weightScale * scale, lane);
        }
        return Lanes1.Sum(Lanes1.Load(in lanes[0], 0));
    }

    /// <summary>Makes one panel of up to 32 rows.</summary>
    /// <param name="weights">[rows, inputs].</param>
    /// <param name="inputs">Of a row.</param>
    /// <param name="panel">[<see cref="PanelBytes"/>].</param>
    public static void Pack(ReadOnlySpan<ushort> weights, int inputs, Span<byte> panel) =>
        Dots.Run(new PackInt8Panel(weights, inputs, panel));

    /// <summary>Brings activations into the form that <see cref="Multiply"/> wants.</summary>
    /// <param name="x">[inputs].</param>
    /// <param name="row">[<see cref="Int8Row.Width"/>].</param>
    public static void Quantize(ReadOnlySpan<float> x, Span<float> row) => Dots.Run(new QuantizeForInt8Panels(x, row));

    /// <summary>Multiplies whole panels into inputs <paramref name="first"/> and following of y.</summary>
    /// <param name="panels">One or more.</param>
    /// <param name="inputs">Of a row.</param>
    /// <param name="bias">[rows], or empty for none.</param>
    /// <param name="x">[tokens, <see cref="Int8Row.Width"/>]: arranged.</param>
    /// <param name="y">[tokens, outputs], written at [t, first + r]; outputs past its width are left out.</param>
    /// <param name="first">The output of the first panel's first row.</param>
    /// <param name="scratch">[tokens, 32].</param>
    public static void Multiply(
        ReadOnlySpan<byte> panels,
        int inputs,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        Rows scratch
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(panels.Length % PanelBytes(inputs), 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        Dots.Run(new MultiplyInt8Panels(panels, inputs, bias, x, y, first, scratch));
    }

    internal readonly ref struct QuantizeForInt8Panels(ReadOnlySpan<float> x, Span<float> row) : IDotsKernel
    {
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;

        public void Run<T>()
            where T : struct, IDots<T> => Int8Row.ToLaneOrder<T>(_x, _row, Offset, 1);
    }

    internal readonly ref struct MultiplyInt8Panels(
        ReadOnlySpan<byte> panels,
        int inputs,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        Rows scratch
    ) : IDotsKernel
    {
        private readonly ReadOnlySpan<byte> _panels = panels;
        private readonly int _inputs = inputs;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly Rows _scratch = scratch;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            int bytes = (int)PanelBytes(_inputs);
            for (int panel = 0; panel * bytes < _panels.Length; panel++)
            {
                int row = panel * Int8Panel.Rows,
                    count = Math.Min(Int8Panel.Rows, _y.Width - _first - row);
                Int8Panel.Multiply<T, BFloat16Scales>(_panels.Slice(panel * bytes, bytes), _inputs, _x, _scratch);
                Int8Panel.Put(_scratch, _bias.IsEmpty ? default : _bias.Slice(row, count), count, _y, _first + row);
            }
        }
    }

    internal readonly ref struct PackInt8Panel(ReadOnlySpan<ushort> weights, int inputs, Span<byte> panel) : IDotsKernel
    {
        private readonly ReadOnlySpan<ushort> _weights = weights;
        private readonly int _inputs = inputs;
        private readonly Span<byte> _panel = panel;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            int values = Int8Row.Blocks(_inputs) * Int8Panel.Rows * Int8Row.BlockValues;
            if (_weights.Length < Int8Panel.Rows * _inputs)
                _panel[..values].Fill((byte)T.Offset(Offset));
            _panel[values..].Clear();
            Lanes.Run(new PackInt8PanelLanes<T>(_weights, _inputs, _panel));
        }
    }

    private readonly ref struct PackInt8PanelLanes<TDots>(ReadOnlySpan<ushort> weights, int inputs, Span<byte> panel)
        : ILaneKernel
        where TDots : struct, IDots<TDots>
    {
        private readonly ReadOnlySpan<ushort> _weights = weights;
        private readonly int _inputs = inputs;
        private readonly Span<byte> _panel = panel;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int blocks = Int8Row.Blocks(_inputs),
                rows = _weights.Length / _inputs;
            Span<ushort> scales = MemoryMarshal.Cast<byte, ushort>(
                _panel[(blocks * Int8Panel.Rows * Int8Row.BlockValues)..]
            );
            Span<ushort> padded = stackalloc ushort[Int8Row.BlockValues];
            Vector128<byte> offset = Vector128.Create((byte)TDots.Offset(Offset));
            T magic = T.Create(Int8Row.Magic);
            Span<int> places = stackalloc int[Int8Row.LaneBlocks];
            Int8Row.FirstPlaces(blocks, places);
            for (int row = 0; row < rows; row++)
            for (int b = 0; b < blocks; b++)
            {
                int place = places[b % Int8Row.LaneBlocks] + b / Int8Row.LaneBlocks;
                ReadOnlySpan<ushort> block = Block(row, b, padded);
                ref readonly ushort w = ref MemoryMarshal.GetReference(block);
                T low = T.LoadBFloat16(in w, 0),
                    high = T.LoadBFloat16(in w, 16);
                float scale = RoundUp(T.MaxMagnitude(low, high) / 127);
                scales[place * Int8Panel.Rows + row] = (ushort)(BitConverter.SingleToUInt32Bits(scale) >> 16);
                Vector128<byte> even = default,
                    odd = default;
                if (scale > 0 && float.IsFinite(scale))
                {
                    T s = T.Create(scale);
                    (even, odd) = Int8Row.EvenOdd(T.LowBytes(low / s + magic), T.LowBytes(high / s + magic));
                }
                Int8Panel.PutRow<TDots>(even + offset, odd + offset, _panel, place, row);
            }
        }

        private ReadOnlySpan<ushort> Block(int row, int block, Span<ushort> padded)
        {
            int from = block * Int8Row.BlockValues;
            if (from + Int8Row.BlockValues <= _inputs)
                return _weights.Slice(row * _inputs + from, Int8Row.BlockValues);
            padded.Clear();
            _weights.Slice(row * _inputs + from, _inputs - from).CopyTo(padded);
            return padded;
        }
    }
}
