using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// MXFP4 matrices with many tokens: the path over strips. Mxfp4.cs has the format and the definition.
/// </summary>
/// <remarks>
/// A strip of weight rows is decoded into the scratch as float32, then multiplied by all tokens. The sums of a tile are
/// loaded from memory before a piece of the inputs and stored after it.
/// </remarks>
internal static partial class Mxfp4
{
    /// <summary>The path of the kernel for many tokens: strips of decoded weight rows.</summary>
    internal readonly ref partial struct MultiplyMxfp4
    {
        // Decodes one weight row into a row of the strip: for each step eight registers of values, then one of scales.
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

        // The inputs are taken in pieces, so that the activations of a piece stay in the first-level cache for all rows
        // of the strip.
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

        // Three decoded rows and four tokens make twelve sums within a step and twelve across the steps; at 512 bits
        // all of them stay in registers. In an incomplete tile the last row or token stands in for the missing ones.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Tile<T>(int slot, int rows, int token, int tokens, int begin, int end, ref float s)
            where T : struct, ILanes<T>
        {
            nuint width = (nuint)_x.Width,
                w = (nuint)StripWidth((int)(width / StepValues));
            nuint w1 = w * (nuint)Math.Min(1, rows - 1),
                w2 = w * (nuint)(rows - 1);
            nuint t1 = width * (nuint)Math.Min(1, tokens - 1),
                t2 = width * (nuint)Math.Min(2, tokens - 1),
                t3 = width * (nuint)(tokens - 1);
            ref readonly float strip = ref MemoryMarshal.GetReference(_scratch.Slice(slot * (int)w, rows * (int)w));
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
            nuint at = (nuint)StripWidth(begin / StepValues);
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
                w = (nuint)StripWidth((int)(width / StepValues));
            nuint w1 = w * (nuint)(rows - 1),
                t1 = width * (nuint)(tokens - 1),
                s1 = TileTokens * Lanes.Count;
            ref readonly float strip = ref MemoryMarshal.GetReference(_scratch.Slice(slot * (int)w, rows * (int)w));
            ref readonly float x = ref MemoryMarshal.GetReference(_x.Values.Slice(token * _x.Width, tokens * _x.Width));
            nuint at = (nuint)StripWidth(begin / StepValues);
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
}
