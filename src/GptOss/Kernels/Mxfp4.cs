using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// The number format of gpt-oss's experts, OCP MXFP4: blocks of 32 four-bit floats (E2M1) that share one power-of-two
/// scale (E8M0). This class decodes the format and multiplies matrices in it by float32 activations.
/// </summary>
/// <remarks>
/// A block is 16 bytes: byte i holds value 2i in its low nibble and value 2i + 1 in its high nibble. A scale byte s
/// means 2^(s − 127). Source: OCP Microscaling Formats (MX) v1.0; value table as in openai/gpt-oss,
/// gpt_oss/torch/weights.py.
/// <para>
/// Order of the sum of an output: dword d of its blocks, four bytes, holds the eight codes k = 8d to 8d + 7. Their
/// eight products are added in ascending k, the first one plain, the others by fused multiply-add; that is p. Then p ·
/// 2^(s − 127) is added to lane d mod 16 by one fused multiply-add, d ascending, the blocks padded with zeros to a
/// multiple of four; then the lanes are added by the tree of <see cref="ILanes{TSelf}.Sum"/>; then the bias is added.
/// So sixteen dwords fill sixteen lanes, and nothing moves between lanes: at 512 bits a code is decoded by a shift and
/// a table lookup, at smaller widths two tables of bytes decode two codes of a lane at once.
/// </para>
/// </remarks>
internal static partial class Mxfp4
{
    /// <summary>Number of values that share a scale.</summary>
    public const int BlockValues = 32;

    /// <summary>Number of bytes of a block's codes, without the scale.</summary>
    public const int BlockBytes = 16;

    /// <summary>Number of blocks of a step: their sixteen dwords fill sixteen lanes.</summary>
    internal const int StepBlocks = 4;
    internal const int StepValues = StepBlocks * BlockValues;
    private const int StepBytes = StepBlocks * BlockBytes;
    private const int CodesPerLane = 8;

    /// <summary>Number of weight rows of a strip: with 2,880 inputs it takes 159 KB of scratch.</summary>
    private const int StripRows = 12;

    private const int TileRows = 3,
        TileTokens = 4,
        PieceValues = 4 * StepValues;

    /// <summary>
    /// Fewest tokens for which decoding a strip is faster than decoding the weights again for each token, measured at
    /// 512 bits.
    /// </summary>
    private const int StripTokens = 9;

    private static ReadOnlySpan<float> Values =>
        [0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f];

    /// <summary>The value of an E2M1 code, 0 to 15.</summary>
    public static float Value(int code) => Values[code];

    /// <summary>
    /// The value of a scale byte, 2^(s − 127): s is a biased float32 exponent. 0 gives 2⁻¹²⁷, which is subnormal; 255,
    /// which only damage causes, is not finite.
    /// </summary>
    public static float Scale(byte s) => BitConverter.UInt32BitsToSingle(s == 0 ? 0x0040_0000u : (uint)s << 23);

    /// <summary>Width of a permuted row: the number of inputs, padded to whole steps of 128.</summary>
    public static int PermutedWidth(int inputs) => (inputs + StepValues - 1) / StepValues * StepValues;

    /// <summary>Number of floats of scratch that <see cref="Multiply"/> needs.</summary>
    public static int ScratchValues(int inputs) => StripRows * StripWidth(PermutedWidth(inputs) / StepValues);

    /// <summary>Number of floats of a decoded row: for each step 8 × 16 values, then 16 scales.</summary>
    private static int StripWidth(int steps) => steps * (CodesPerLane + 1) * Lanes.Count;

    /// <summary>
    /// Permutes one token's activations into the order in which <see cref="Multiply"/> reads them:
    /// <c>y[128g + 16j + d] = x[128g + 8d + j]</c>. For example x[9], which meets code 1 of lane 1, goes to y[17].
    /// </summary>
    /// <param name="x">Activations of the token, [inputs].</param>
    /// <param name="permuted">
    /// Receives the activations, [<see cref="PermutedWidth"/>]. Places without an activation become zero.
    /// </param>
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

    /// <summary>The definition of one output without its bias; tests compare every faster path with it.</summary>
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

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="blocks">Codes of the range, [outputs of the range, inputs / 32, 16].</param>
    /// <param name="scales">Scales of the range, [outputs of the range, inputs / 32].</param>
    /// <param name="bias">Bias of the range, [outputs of the range].</param>
    /// <param name="x">Activations from <see cref="Permute"/>, [tokens, <see cref="PermutedWidth"/>].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="first">Index of the first output of the range in <paramref name="y"/>.</param>
    /// <param name="scratch">Working memory of at least <see cref="ScratchValues"/> floats.</param>
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

    /// <summary>
    /// Computes a range of outputs. For few tokens it decodes the weights of an output again for each token; for many
    /// it decodes a strip of weight rows into the scratch once and multiplies that by all tokens.
    /// </summary>
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
            int outputs = _bias.Length,
                tokens = _x.Count;
            if (tokens < StripTokens)
            {
                for (int o = 0; o < outputs; o++)
                for (int t = 0; t < tokens; t++)
                    One<T>(o, t);
                return;
            }
            Span<float> sums = stackalloc float[StripRows * TileTokens * Lanes.Count];
            for (int strip = 0; strip < outputs; strip += StripRows)
            {
                int count = Math.Min(StripRows, outputs - strip);
                for (int slot = 0; slot < count; slot++)
                    Decode<T>(strip + slot, slot);
                for (int t = 0; t < tokens; t += TileTokens)
                    MultiplyStrip<T>(strip, count, t, Math.Min(TileTokens, tokens - t), sums);
            }
        }

        // Memory is read fastest one weight row at a time, in the order of addresses (docs/decisions/0002).
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<T>(int output, int token)
            where T : struct, ILanes<T>
        {
            nuint full = (nuint)(_inputBlocks / StepBlocks);
            int rest = _inputBlocks % StepBlocks;
            uint last = LastScales(output); // a call after the loop would keep the sum in memory during it
            ref readonly byte b = ref MemoryMarshal.GetReference(_blocks.Slice(output * _inputBlocks * BlockBytes));
            ref readonly byte s = ref MemoryMarshal.GetReference(_scales.Slice(output * _inputBlocks));
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
            Put(output, token, T.Sum(sum));
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

        // The scale bytes of the last, incomplete step of a weight row; those of the missing blocks are 0.
        private uint LastScales(int output)
        {
            int rest = _inputBlocks % StepBlocks;
            ReadOnlySpan<byte> last = _scales.Slice((output + 1) * _inputBlocks - rest, rest);
            uint scales = 0;
            for (int i = 0; i < rest; i++)
                scales |= (uint)last[i] << (8 * i);
            return scales;
        }

        private static ref readonly byte Bytes(ref readonly uint dword) =>
            ref Unsafe.As<uint, byte>(ref Unsafe.AsRef(in dword));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Put(int output, int token, float sum) =>
            _y.Values[token * _y.Width + _first + output] = sum + _bias[output];
    }
}
