using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// A strip of weight rows, decoded to float32 for one pass: for each step of 128 inputs eight registers of values, then
/// one of scales. It is multiplied by all tokens while it is in the cache.
/// </summary>
/// <remarks>
/// Order of the sum of an output: the eight products of a lane in a step are added in ascending order, the first one
/// plain, the others by fused multiply-add; that times the scale of the lane is added to the lane by one fused
/// multiply-add; then the lanes are added by the tree of <see cref="ILanes{TSelf}.Sum"/>. The sums of a tile are loaded
/// from memory before a piece of the inputs and stored after it.
/// </remarks>
/// <param name="values">The strip, [rows, <see cref="Width"/>].</param>
/// <param name="x">Activations, each step of 128 in the order of the registers, [tokens, inputs].</param>
/// <param name="y">Receives the sums, [tokens, outputs].</param>
// Bound: Tile slices the strip and the activations to the rows and tokens that it reads, and their widths are whole
// steps.
internal readonly ref struct ScaledStrip(ReadOnlySpan<float> values, Rows x, Rows y)
{
    /// <summary>Number of weight rows of a strip: with 2,880 inputs it takes 159 KB.</summary>
    public const int Rows = 12;

    /// <summary>Number of registers of values of a step.</summary>
    public const int StepRegisters = 8;

    /// <summary>Number of inputs of a step.</summary>
    public const int StepValues = StepRegisters * Lanes.Count;

    private const int TileRows = 3,
        TileTokens = 4,
        PieceValues = 4 * StepValues;

    private readonly ReadOnlySpan<float> _values = values;
    private readonly Rows _x = x;
    private readonly Rows _y = y;

    /// <summary>Number of floats of a decoded row.</summary>
    public static int Width(int inputs) => inputs / StepValues * (StepRegisters + 1) * Lanes.Count;

    /// <summary>Multiplies the rows of the strip by every token.</summary>
    /// <param name="first">Index of the first row's output in y.</param>
    /// <param name="rows">Number of rows, at most <see cref="Rows"/>.</param>
    public void Multiply<T>(int first, int rows)
        where T : struct, ILanes<T>
    {
        Span<float> sums = stackalloc float[Rows * TileTokens * Lanes.Count];
        for (int t = 0; t < _x.Count; t += TileTokens)
            MultiplyTokens<T>(first, rows, t, Math.Min(TileTokens, _x.Count - t), sums);
    }

    // The inputs are taken in pieces, so that the activations of a piece stay in the first-level cache for all rows
    // of the strip.
    private void MultiplyTokens<T>(int first, int rows, int token, int tokens, Span<float> sums)
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
            _y[token + t][first + r] = T.Sum(T.Load(in sums[(r * TileTokens + t) * Lanes.Count], 0));
    }

    // Three decoded rows and four tokens make twelve sums within a step and twelve across the steps; at 512 bits
    // all of them stay in registers. In an incomplete tile the last row or token stands in for the missing ones.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Tile<T>(int slot, int rows, int token, int tokens, int begin, int end, ref float s)
        where T : struct, ILanes<T>
    {
        nuint width = (nuint)_x.Width,
            w = (nuint)Width((int)width);
        nuint w1 = w * (nuint)Math.Min(1, rows - 1),
            w2 = w * (nuint)(rows - 1);
        nuint t1 = width * (nuint)Math.Min(1, tokens - 1),
            t2 = width * (nuint)Math.Min(2, tokens - 1),
            t3 = width * (nuint)(tokens - 1);
        ref readonly float strip = ref MemoryMarshal.GetReference(_values.Slice(slot * (int)w, rows * (int)w));
        ref readonly float x = ref MemoryMarshal.GetReference(_x.Values.Slice(token * _x.Width, tokens * _x.Width));
        T s00 = T.Load(in s, 0),
            s01 = T.Load(in s, 16),
            s02 = T.Load(in s, 32),
            s03 = T.Load(in s, 48);
        T s10 = T.Load(in s, 64),
            s11 = T.Load(in s, 80),
            s12 = T.Load(in s, 96),
            s13 = T.Load(in s, 112);
        T s20 = T.Load(in s, 128),
            s21 = T.Load(in s, 144),
            s22 = T.Load(in s, 160),
            s23 = T.Load(in s, 176);
        nuint at = (nuint)Width(begin);
        for (nuint from = (nuint)begin; from < (nuint)end; at += Lanes.Count)
        {
            T a = T.Load(in strip, at),
                b = T.Load(in strip, at + w1),
                c = T.Load(in strip, at + w2),
                v = T.Load(in x, from);
            T p00 = a * v,
                p10 = b * v,
                p20 = c * v;
            v = T.Load(in x, from + t1);
            T p01 = a * v,
                p11 = b * v,
                p21 = c * v;
            v = T.Load(in x, from + t2);
            T p02 = a * v,
                p12 = b * v,
                p22 = c * v;
            v = T.Load(in x, from + t3);
            T p03 = a * v,
                p13 = b * v,
                p23 = c * v;
            nuint stepEnd = from + StepValues;
            at += Lanes.Count;
            for (from += Lanes.Count; from < stepEnd; from += Lanes.Count, at += Lanes.Count)
            {
                a = T.Load(in strip, at);
                b = T.Load(in strip, at + w1);
                c = T.Load(in strip, at + w2);
                v = T.Load(in x, from);
                p00 = T.MultiplyAdd(a, v, p00);
                p10 = T.MultiplyAdd(b, v, p10);
                p20 = T.MultiplyAdd(c, v, p20);
                v = T.Load(in x, from + t1);
                p01 = T.MultiplyAdd(a, v, p01);
                p11 = T.MultiplyAdd(b, v, p11);
                p21 = T.MultiplyAdd(c, v, p21);
                v = T.Load(in x, from + t2);
                p02 = T.MultiplyAdd(a, v, p02);
                p12 = T.MultiplyAdd(b, v, p12);
                p22 = T.MultiplyAdd(c, v, p22);
                v = T.Load(in x, from + t3);
                p03 = T.MultiplyAdd(a, v, p03);
                p13 = T.MultiplyAdd(b, v, p13);
                p23 = T.MultiplyAdd(c, v, p23);
            }
            a = T.Load(in strip, at);
            b = T.Load(in strip, at + w1);
            c = T.Load(in strip, at + w2);
            s00 = T.MultiplyAdd(p00, a, s00);
            s01 = T.MultiplyAdd(p01, a, s01);
            s02 = T.MultiplyAdd(p02, a, s02);
            s03 = T.MultiplyAdd(p03, a, s03);
            s10 = T.MultiplyAdd(p10, b, s10);
            s11 = T.MultiplyAdd(p11, b, s11);
            s12 = T.MultiplyAdd(p12, b, s12);
            s13 = T.MultiplyAdd(p13, b, s13);
            s20 = T.MultiplyAdd(p20, c, s20);
            s21 = T.MultiplyAdd(p21, c, s21);
            s22 = T.MultiplyAdd(p22, c, s22);
            s23 = T.MultiplyAdd(p23, c, s23);
        }
        T.Store(s00, ref s, 0);
        T.Store(s01, ref s, 16);
        T.Store(s02, ref s, 32);
        T.Store(s03, ref s, 48);
        T.Store(s10, ref s, 64);
        T.Store(s11, ref s, 80);
        T.Store(s12, ref s, 96);
        T.Store(s13, ref s, 112);
        T.Store(s20, ref s, 128);
        T.Store(s21, ref s, 144);
        T.Store(s22, ref s, 160);
        T.Store(s23, ref s, 176);
    }

    // Two rows and two tokens: at 256 bits the sums within a step take eight registers; the sums across the steps
    // stay in memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SmallTile<T>(int slot, int rows, int token, int tokens, int begin, int end, ref float s)
        where T : struct, ILanes<T>
    {
        nuint width = (nuint)_x.Width,
            w = (nuint)Width((int)width);
        nuint w1 = w * (nuint)(rows - 1),
            t1 = width * (nuint)(tokens - 1),
            s1 = TileTokens * Lanes.Count;
        ref readonly float strip = ref MemoryMarshal.GetReference(_values.Slice(slot * (int)w, rows * (int)w));
        ref readonly float x = ref MemoryMarshal.GetReference(_x.Values.Slice(token * _x.Width, tokens * _x.Width));
        nuint at = (nuint)Width(begin);
        for (nuint from = (nuint)begin; from < (nuint)end; at += Lanes.Count)
        {
            T a = T.Load(in strip, at),
                b = T.Load(in strip, at + w1),
                v = T.Load(in x, from);
            T p00 = a * v,
                p10 = b * v;
            v = T.Load(in x, from + t1);
            T p01 = a * v,
                p11 = b * v;
            nuint stepEnd = from + StepValues;
            at += Lanes.Count;
            for (from += Lanes.Count; from < stepEnd; from += Lanes.Count, at += Lanes.Count)
            {
                a = T.Load(in strip, at);
                b = T.Load(in strip, at + w1);
                v = T.Load(in x, from);
                p00 = T.MultiplyAdd(a, v, p00);
                p10 = T.MultiplyAdd(b, v, p10);
                v = T.Load(in x, from + t1);
                p01 = T.MultiplyAdd(a, v, p01);
                p11 = T.MultiplyAdd(b, v, p11);
            }
            a = T.Load(in strip, at);
            b = T.Load(in strip, at + w1);
            T.Store(T.MultiplyAdd(p00, a, T.Load(in s, 0)), ref s, 0);
            T.Store(T.MultiplyAdd(p01, a, T.Load(in s, 16)), ref s, 16);
            T.Store(T.MultiplyAdd(p10, b, T.Load(in s, s1)), ref s, s1);
            T.Store(T.MultiplyAdd(p11, b, T.Load(in s, s1 + 16)), ref s, s1 + 16);
        }
    }
}
