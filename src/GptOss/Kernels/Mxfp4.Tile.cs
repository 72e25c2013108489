using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

// The decoded rows of a strip times some tokens, a piece of the columns: the sums' lanes are in memory before and
// after.
internal static partial class Mxfp4
{
    internal readonly ref partial struct MultiplyMxfp4
    {
        // Three decoded rows and four tokens: twelve chains within the step, twelve across the steps, and all of them
        // in registers at 512 bits. Where rows or tokens end within the tile, the last stands in for those past it.
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

        // Two rows and two tokens: at 256 bits the chains within the step take eight registers, the sums across the
        // steps none.
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
