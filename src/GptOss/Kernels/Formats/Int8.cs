using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// The fast precision of bfloat16 matrices: packs bfloat16 weights into 8-bit integers with one scale for each block of
/// 32, quantises activations in the same way, and multiplies both:
/// <c>y[t, o] = Σ_b (Σ w · q) · (scale_w · scale_x)</c>, b over the blocks of the inputs.
/// </summary>
/// <remarks>
/// scale_w = max|w| / 127 over the block, rounded up to bfloat16, and the integer weight is w / scale_w, rounded to
/// nearest, ties to even: 8.5 bits a weight. The weights lie in panels of 32 outputs, in the layout that suits the
/// registers of this process; the last panel is filled up with zeros. The order of the sum is that of
/// <see cref="Int8Panel"/>.
/// </remarks>
// Bound: Multiply, Pack and Widen read and write whole panels, whose lengths Pack, Multiply and Int8Panel.Multiply
// check.
internal readonly unsafe struct Int8 : IMatrixFormat
{
    /// <summary>Added to a weight where the instructions want one factor without a sign.</summary>
    private const byte Offset = 128;

    /// <summary>Number of bytes of one panel.</summary>
    public static long PanelBytes(int inputs) => Int8Panel.Bytes<BFloat16Scales>(inputs);

    /// <summary>The outputs of a panel.</summary>
    public static int UnitOutputs => Int8Panel.Rows;

    public static int PermutedWidth(int inputs) => Int8Row.Width(inputs);

    public static int ScratchFloats(int inputs, int tokens) => 0;

    /// <summary>Number of bytes of a packed matrix, [outputs, inputs].</summary>
    public static long Bytes(int outputs, int inputs) =>
        (outputs + Int8Panel.Rows - 1) / Int8Panel.Rows * PanelBytes(inputs);

    /// <summary>The definition of packed weights: the scale and the integers of one block.</summary>
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

    /// <summary>The smallest bfloat16 that is not below the scale.</summary>
    private static float RoundUp(float scale) =>
        BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(scale) + 0xFFFF & 0xFFFF_0000u);

    /// <summary>The definition of one output; tests compare every faster path with it.</summary>
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

    /// <summary>Packs the bfloat16 weights of up to 32 outputs into one panel.</summary>
    /// <param name="weights">The weights in any format of numbers, [outputs of the panel, inputs].</param>
    /// <param name="inputs">Number of inputs of the matrix.</param>
    /// <param name="panel">Receives the panel, [<see cref="PanelBytes"/>].</param>
    public static void Pack<TNumbers>(ReadOnlySpan<byte> weights, int inputs, Span<byte> panel)
        where TNumbers : struct, INumberFormat
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length % (int)ByOutput<TNumbers>.Bytes(1, inputs), 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            weights.Length,
            ByOutput<TNumbers>.Bytes(Int8Panel.Rows, inputs)
        );
        ArgumentOutOfRangeException.ThrowIfNotEqual(panel.Length, PanelBytes(inputs));
        Dots.Run(new PackInt8Panel<TNumbers>(weights, inputs, panel));
    }

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) =>
        Dots.Run(new QuantizeForInt8Panels(x, permuted));

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch)
    {
        long bytes = PanelBytes(w.Inputs);
        int panels = (count + Int8Panel.Rows - 1) / Int8Panel.Rows;
        Multiply(new(w.Data + first / Int8Panel.Rows * bytes, checked((int)(panels * bytes))), w.Inputs, x, y, first);
    }

    public static void Widen(in StoredWeights w, int output, Span<float> row)
    {
        long bytes = PanelBytes(w.Inputs);
        var panel = new ReadOnlySpan<byte>(w.Data + output / Int8Panel.Rows * bytes, (int)bytes);
        Dots.Run(new WidenInt8Row(panel, output % Int8Panel.Rows, row));
    }

    /// <summary>Computes the outputs of whole panels for every token.</summary>
    /// <param name="panels">One or more neighbouring panels.</param>
    /// <param name="inputs">Number of inputs of the matrix.</param>
    /// <param name="x">Activations from <see cref="Permute"/>, [tokens, <see cref="Int8Row.Width"/>].</param>
    /// <param name="y">
    /// Receives output o of the panels at [t, first + o]; its shape is [tokens, outputs]. Outputs past its width, which
    /// only fill up the last panel, are left out.
    /// </param>
    /// <param name="first">Index of the first panel's first output in <paramref name="y"/>.</param>
    public static void Multiply(ReadOnlySpan<byte> panels, int inputs, Rows x, Rows y, int first)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(panels.Length % PanelBytes(inputs), 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        // The last panel has an output; those of its rows that have none only fill it up.
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(
            first + (panels.Length / PanelBytes(inputs) - 1) * Int8Panel.Rows,
            y.Width
        );
        Dots.Run(new MultiplyInt8Panels(panels, inputs, x, y, first));
    }

    /// <summary>
    /// Quantises one token's activations for the panels of <see cref="Int8"/>: chooses the integer registers for 8-bit
    /// weights, and lets <see cref="Int8Row.QuantizeToLaneOrder{TDots}"/> write what they read.
    /// </summary>
    internal readonly ref struct QuantizeForInt8Panels(ReadOnlySpan<float> x, Span<float> row) : IDotsKernel
    {
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;

        public void Run<T>()
            where T : struct, IDots<T> => Int8Row.ToLaneOrder<T>(_x, _row, Offset, 1);
    }

    /// <summary>Multiplies one panel after the other.</summary>
    internal readonly ref struct MultiplyInt8Panels(ReadOnlySpan<byte> panels, int inputs, Rows x, Rows y, int first)
        : IDotsKernel
    {
        private readonly ReadOnlySpan<byte> _panels = panels;
        private readonly int _inputs = inputs;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            int bytes = (int)PanelBytes(_inputs);
            for (int panel = 0; panel * bytes < _panels.Length; panel++)
            {
                int output = _first + panel * Int8Panel.Rows,
                    rows = Math.Min(Int8Panel.Rows, _y.Width - output);
                ReadOnlySpan<byte> weights = _panels.Slice(panel * bytes, bytes),
                    next = _panels[((panel + 1) * bytes)..];
                next = next[..Math.Min(next.Length, bytes)];
                Int8Panel.Multiply<T, BFloat16Scales>(weights, _inputs, _x, _y, output, rows, next);
            }
        }
    }

    /// <summary>Reads one output back from the layout of the chosen integer registers.</summary>
    internal readonly ref struct WidenInt8Row(ReadOnlySpan<byte> panel, int row, Span<float> result) : IDotsKernel
    {
        private readonly ReadOnlySpan<byte> _panel = panel;
        private readonly int _row = row;
        private readonly Span<float> _result = result;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            int blocks = Int8Row.Blocks(_result.Length),
                offset = T.IsUnsigned ? Offset : 0;
            Span<int> places = stackalloc int[Int8Row.LaneBlocks];
            Int8Row.FirstPlaces(blocks, places);
            ReadOnlySpan<ushort> scales = MemoryMarshal.Cast<byte, ushort>(
                _panel[(blocks * Int8Panel.Rows * Int8Row.BlockValues)..]
            );
            for (int k = 0; k < _result.Length; k++)
            {
                int b = k / Int8Row.BlockValues,
                    place = places[b % Int8Row.LaneBlocks] + b / Int8Row.LaneBlocks;
                int q = (sbyte)(Int8Panel.Weight<T>(_panel, place, k % Int8Row.BlockValues, _row) - offset);
                _result[k] = q * BFloat16.ToSingle(scales[place * Int8Panel.Rows + _row]);
            }
        }
    }

    /// <summary>Packs one panel in the layout of the chosen integer registers.</summary>
    internal readonly ref struct PackInt8Panel<TNumbers>(ReadOnlySpan<byte> weights, int inputs, Span<byte> panel)
        : IDotsKernel
        where TNumbers : struct, INumberFormat
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly int _inputs = inputs;
        private readonly Span<byte> _panel = panel;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            int values = Int8Row.Blocks(_inputs) * Int8Panel.Rows * Int8Row.BlockValues;
            if (_weights.Length < ByOutput<TNumbers>.Bytes(Int8Panel.Rows, _inputs))
                _panel[..values].Fill(T.IsUnsigned ? Offset : (byte)0);
            _panel[values..].Clear();
            Lanes.Run(new PackInt8PanelLanes<T, TNumbers>(_weights, _inputs, _panel));
        }
    }

    /// <summary>
    /// Finds the scale of each block and rounds its weights, for <see cref="PackInt8Panel{TNumbers}"/>. It is a kernel
    /// of its own, because it computes in float lanes, while the layout of a panel depends on the integer registers.
    /// </summary>
    private readonly ref struct PackInt8PanelLanes<TDots, TNumbers>(
        ReadOnlySpan<byte> weights,
        int inputs,
        Span<byte> panel
    ) : ILaneKernel
        where TDots : struct, IDots<TDots>
        where TNumbers : struct, INumberFormat
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly int _inputs = inputs;
        private readonly Span<byte> _panel = panel;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int blocks = Int8Row.Blocks(_inputs),
                rowBytes = (int)ByOutput<TNumbers>.Bytes(1, _inputs),
                rows = _weights.Length / rowBytes;
            Span<ushort> scales = MemoryMarshal.Cast<byte, ushort>(
                _panel[(blocks * Int8Panel.Rows * Int8Row.BlockValues)..]
            );
            Span<float> padded = stackalloc float[Int8Row.BlockValues];
            Vector128<byte> offset = Vector128.Create(TDots.IsUnsigned ? Offset : (byte)0);
            T magic = T.Create(Int8Row.Magic);
            Span<int> places = stackalloc int[Int8Row.LaneBlocks];
            Int8Row.FirstPlaces(blocks, places);
            for (int row = 0; row < rows; row++)
            for (int b = 0; b < blocks; b++)
            {
                int place = places[b % Int8Row.LaneBlocks] + b / Int8Row.LaneBlocks;
                ReadOnlySpan<byte> weights = _weights.Slice(row * rowBytes, rowBytes);
                ref readonly byte w = ref MemoryMarshal.GetReference(weights);
                int from = b * Int8Row.BlockValues;
                T low,
                    high;
                if (from + Int8Row.BlockValues <= _inputs)
                    (low, high) = (TNumbers.Load<T>(in w, (nuint)from), TNumbers.Load<T>(in w, (nuint)from + 16));
                else
                {
                    padded.Clear();
                    for (int k = from; k < _inputs; k++)
                        padded[k - from] = TNumbers.Value(weights, k);
                    (low, high) = (T.Load(in padded[0], 0), T.Load(in padded[0], 16));
                }
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
    }
}
