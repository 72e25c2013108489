using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// OCP MXFP4: blocks of 32 four-bit floats (E2M1) that share one power-of-two scale (E8M0); matrices of such rows.
/// </summary>
/// <remarks>
/// A block is 16 bytes: byte i holds value 2i in its low nibble and value 2i + 1 in its high nibble. A scale byte s
/// means 2^(s − 127). Source: OCP Microscaling Formats (MX) v1.0; value table as in openai/gpt-oss,
/// gpt_oss/torch/weights.py.
/// <para>
/// Order of the sum of a row: a dword of blocks holds eight codes, k = 8d to 8d + 7. Their products are added in
/// ascending k, the first one plain, the others by fused multiply-add: p. Then lane d mod 16 takes p · 2^(s − 127) by
/// one fused multiply-add, d ascending, the row padded with zero blocks to a multiple of four; then the tree of
/// <see cref="ILanes{TSelf}.Sum"/>; then the bias. So sixteen dwords are sixteen lanes, and nothing is moved
/// between them: at 512 bits a code is a shift and a table lookup away, at less two tables of bytes give a lane's codes
/// in pairs.
/// </para>
/// </remarks>
internal static partial class Mxfp4
{
    public const int BlockValues = 32;
    public const int BlockBytes = 16;

    /// <summary>A step is four blocks: sixteen dwords, one in each lane.</summary>
    internal const int StepBlocks = 4;
    internal const int StepValues = StepBlocks * BlockValues;
    private const int StepBytes = StepBlocks * BlockBytes;
    private const int CodesPerLane = 8;

    /// <summary>Rows decoded at once for several tokens; with 2,880 inputs they take 159 KB of scratch.</summary>
    private const int StripRows = 12;

    private const int TileRows = 3,
        TileTokens = 4,
        PieceValues = 4 * StepValues;

    /// <summary>
    /// Below this many tokens decoding a row again for each is quicker than keeping it: measured at 512 bits.
    /// </summary>
    private const int StripTokens = 9;

    private static ReadOnlySpan<float> Values =>
        [0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f];

    public static float Value(int code) => Values[code];

    /// <summary>
    /// 2^(s − 127): s is a biased float32 exponent. 0 gives 2⁻¹²⁷, a subnormal; 255 (damage) is not finite.
    /// </summary>
    public static float Scale(byte s) => BitConverter.UInt32BitsToSingle(s == 0 ? 0x0040_0000u : (uint)s << 23);

    /// <summary>Width of an permuted row: the inputs, padded to whole steps.</summary>
    public static int PermutedWidth(int inputs) => (inputs + StepValues - 1) / StepValues * StepValues;

    /// <summary>Floats of scratch that <see cref="Multiply"/> needs.</summary>
    public static int ScratchValues(int inputs) => StripRows * StripWidth(PermutedWidth(inputs) / StepValues);

    /// <summary>Floats of a decoded row: for each step eight registers of values, then one of scales.</summary>
    private static int StripWidth(int steps) => steps * (CodesPerLane + 1) * Lanes.Count;

    /// <summary>
    /// Brings activations into the order in which a step meets them: <c>y[128g + 16j + d] = x[128g + 8d + j]</c>.
    /// </summary>
    /// <param name="x">[inputs].</param>
    /// <param name="permuted">[<see cref="PermutedWidth"/>]; what lies past x becomes zero.</param>
    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(permuted.Length, PermutedWidth(x.Length));
        scoped Span<float> rest = stackalloc float[StepValues];
        for (int k = 0; k < x.Length; k += StepValues)
        {
            scoped ReadOnlySpan<float> step = x[k..];
            if (step.Length < StepValues)
            {
                rest.Clear();
                step.CopyTo(rest);
                step = rest;
            }
            Span<float> to = permuted.Slice(k, StepValues);
            for (int lane = 0; lane < Lanes.Count; lane++)
            for (int code = 0; code < CodesPerLane; code++)
                to[code * Lanes.Count + lane] = step[lane * CodesPerLane + code];
        }
    }

    /// <summary>The definition. Every faster path is tested against this one.</summary>
    internal static float DotScalar(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales, ReadOnlySpan<float> x)
    {
        Span<float> lanes = stackalloc float[Lanes.Count];
        lanes.Clear();
        int dwords = (scales.Length + StepBlocks - 1) / StepBlocks * Lanes.Count;
        for (int d = 0; d < dwords; d++)
        {
            float p = 0,
                scale = Scale(0);
            if (d / 4 < scales.Length)
            {
                scale = Scale(scales[d / 4]);
                uint codes = BitConverter.ToUInt32(blocks.Slice(4 * d, 4));
                p = Value((int)(codes & 0xF)) * x[8 * d];
                for (int j = 1; j < CodesPerLane; j++)
                    p = MathF.FusedMultiplyAdd(Value((int)(codes >> (4 * j)) & 0xF), x[8 * d + j], p);
            }
            lanes[d % Lanes.Count] = MathF.FusedMultiplyAdd(p, scale, lanes[d % Lanes.Count]);
        }
        return Lanes1.Sum(Lanes1.Load(in lanes[0], 0));
    }

    /// <summary>Multiplies a range of rows into inputs <paramref name="first"/> and following of y.</summary>
    /// <param name="blocks">[rows, inputs / 32, 16]: the rows of the range alone.</param>
    /// <param name="scales">[rows, inputs / 32].</param>
    /// <param name="bias">[rows].</param>
    /// <param name="x">[tokens, <see cref="PermutedWidth"/>]: permuted.</param>
    /// <param name="y">[tokens, outputs], written at [t, first + r].</param>
    /// <param name="first">The output that the range's first row makes.</param>
    /// <param name="scratch">At least <see cref="ScratchValues"/> floats.</param>
    public static void Multiply(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    )
    {
        int inputs = Mxfp4Shape.Inputs(blocks, scales, bias, x, y, first);
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Width, PermutedWidth(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Length, ScratchValues(inputs));
        Lanes.Run(new MultiplyMxfp4(blocks, scales, bias, x, y, first, scratch));
    }

    internal readonly ref partial struct MultiplyMxfp4(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly Span<float> _scratch = scratch;
        private readonly int _inputBlocks = bias.Length == 0 ? 0 : scales.Length / bias.Length;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int rows = _bias.Length,
                tokens = _x.Count;
            if (tokens < StripTokens)
            {
                for (int r = 0; r < rows; r++)
                for (int t = 0; t < tokens; t++)
                    One<T>(r, t);
                return;
            }
            Span<float> sums = stackalloc float[StripRows * TileTokens * Lanes.Count];
            for (int strip = 0; strip < rows; strip += StripRows)
            {
                int count = Math.Min(StripRows, rows - strip);
                for (int r = 0; r < count; r++)
                    Decode<T>(strip + r, r);
                for (int t = 0; t < tokens; t += TileTokens)
                    MultiplyStrip<T>(strip, count, t, Math.Min(TileTokens, tokens - t), sums);
            }
        }

        // Piece by piece of the inputs, so that the tokens' values stay in the nearest cache for all rows of the
        // strip.
        private void MultiplyStrip<T>(int first, int rows, int token, int tokens, Span<float> sums)
            where T : struct, ILanes<T>
        {
            sums.Clear();
            for (int from = 0; from < _x.Width; from += PieceValues)
            {
                int end = Math.Min(from + PieceValues, _x.Width);
                if (T.Registers == 1)
                    for (int slot = 0; slot < rows; slot += TileRows)
                        Tile<T>(
                            slot,
                            Math.Min(TileRows, rows - slot),
                            token,
                            tokens,
                            from,
                            end,
                            ref sums[slot * TileTokens * Lanes.Count]
                        );
                else
                    for (int slot = 0; slot < rows; slot += 2)
                    for (int t = 0; t < tokens; t += 2)
                        SmallTile<T>(
                            slot,
                            Math.Min(2, rows - slot),
                            token + t,
                            Math.Min(2, tokens - t),
                            from,
                            end,
                            ref sums[(slot * TileTokens + t) * Lanes.Count]
                        );
            }
            for (int r = 0; r < rows; r++)
            for (int t = 0; t < tokens; t++)
                Put(first + r, token + t, T.Sum(T.Load(in sums[(r * TileTokens + t) * Lanes.Count], 0)));
        }

        // One row at a time in address order is how memory is read fastest (docs/decisions/0002).
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<T>(int row, int token)
            where T : struct, ILanes<T>
        {
            nuint full = (nuint)(_inputBlocks / StepBlocks);
            int rest = _inputBlocks % StepBlocks;
            uint last = LastScales(row); // before the loop: a call after it would keep the sum in memory within it
            ref readonly byte b = ref MemoryMarshal.GetReference(_blocks.Slice(row * _inputBlocks * BlockBytes));
            ref readonly byte s = ref MemoryMarshal.GetReference(_scales.Slice(row * _inputBlocks));
            ref readonly float x = ref MemoryMarshal.GetReference(_x[token]);
            T sum = T.Zero;
            nuint step = 0;
            for (; step < full; step++)
            {
                Prefetch.Read(in b, step * StepBytes + Prefetch.NearBytes);
                sum = AddStep(
                    sum,
                    T.LoadBits(in b, step * StepBytes),
                    T.Scales(in s, step * StepBlocks),
                    in x,
                    step * StepValues
                );
            }
            if (rest > 0)
                sum = AddStep(
                    sum,
                    T.LoadBits(in b, step * StepBytes, rest),
                    T.Scales(in Bytes(in last), 0),
                    in x,
                    step * StepValues
                );
            Put(row, token, T.Sum(sum));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T AddStep<T>(T sum, T bits, T scales, ref readonly float x, nuint at)
            where T : struct, ILanes<T>
        {
            T.Codes(bits, out T k0, out T k1, out T k2, out T k3);
            T p = T.FirstValues(k0) * T.Load(in x, at);
            p = T.MultiplyAdd(T.FirstValues(k1), T.Load(in x, at + 16), p);
            p = T.MultiplyAdd(T.FirstValues(k2), T.Load(in x, at + 32), p);
            p = T.MultiplyAdd(T.FirstValues(k3), T.Load(in x, at + 48), p);
            p = T.MultiplyAdd(T.SecondValues(k0), T.Load(in x, at + 64), p);
            p = T.MultiplyAdd(T.SecondValues(k1), T.Load(in x, at + 80), p);
            p = T.MultiplyAdd(T.SecondValues(k2), T.Load(in x, at + 96), p);
            p = T.MultiplyAdd(T.SecondValues(k3), T.Load(in x, at + 112), p);
            return T.MultiplyAdd(p, scales, sum);
        }

        // The scales of a row's last, incomplete step, one byte each; those of the missing blocks are 0.
        private uint LastScales(int row)
        {
            int rest = _inputBlocks % StepBlocks;
            ReadOnlySpan<byte> last = _scales.Slice((row + 1) * _inputBlocks - rest, rest);
            uint scales = 0;
            for (int i = 0; i < rest; i++)
                scales |= (uint)last[i] << (8 * i);
            return scales;
        }

        private static ref readonly byte Bytes(ref readonly uint dword) =>
            ref Unsafe.As<uint, byte>(ref Unsafe.AsRef(in dword));

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Decode<T>(int row, int slot)
            where T : struct, ILanes<T>
        {
            nuint full = (nuint)(_inputBlocks / StepBlocks),
                steps = (nuint)(_x.Width / StepValues);
            uint last = LastScales(row);
            ref readonly byte b = ref MemoryMarshal.GetReference(_blocks.Slice(row * _inputBlocks * BlockBytes));
            ref readonly byte s = ref MemoryMarshal.GetReference(_scales.Slice(row * _inputBlocks));
            ref float strip = ref MemoryMarshal.GetReference(
                _scratch.Slice(slot * StripWidth((int)steps), StripWidth((int)steps))
            );
            for (nuint step = 0; step < steps; step++)
            {
                bool whole = step < full;
                T bits = whole
                    ? T.LoadBits(in b, step * StepBytes)
                    : T.LoadBits(in b, step * StepBytes, _inputBlocks % StepBlocks);
                T scales = whole ? T.Scales(in s, step * StepBlocks) : T.Scales(in Bytes(in last), 0);
                nuint at = step * (CodesPerLane + 1) * Lanes.Count;
                T.Codes(bits, out T k0, out T k1, out T k2, out T k3);
                T.Store(T.FirstValues(k0), ref strip, at);
                T.Store(T.FirstValues(k1), ref strip, at + 16);
                T.Store(T.FirstValues(k2), ref strip, at + 32);
                T.Store(T.FirstValues(k3), ref strip, at + 48);
                T.Store(T.SecondValues(k0), ref strip, at + 64);
                T.Store(T.SecondValues(k1), ref strip, at + 80);
                T.Store(T.SecondValues(k2), ref strip, at + 96);
                T.Store(T.SecondValues(k3), ref strip, at + 112);
                T.Store(scales, ref strip, at + 128);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Put(int row, int token, float sum) =>
            _y.Values[token * _y.Width + _first + row] = sum + _bias[row];
    }
}
