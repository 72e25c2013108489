using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// The two matrix products of attention over one page: <c>y[q, i] += Σₖ a[q, k] · b[k, i]</c>, k from one bound to
/// another. Queries times the keys of the page give scores, and weights times the values of the page give the result.
/// </summary>
/// <remarks>
/// a: [queries, inner]; b: [inner, width], the page; y: [queries, width]. For scores inner is headDim and width is 64;
/// for values inner is 64 and width is headDim. Order of the sum: one chain of fused multiply-adds that begins with
/// y[q, i], k ascending. Every y[q, i] has its own chain, so the number of chains that run side by side changes no bit.
/// </remarks>
// Bound: Add checks a, b and the range; values past the last sixteen are computed one by one.
internal static class PageProduct
{
    private const int LineBytes = 64,
        Quad = 4;

    /// <summary>The definition of the product, value by value; tests compare every faster path with it.</summary>
    internal static void AddScalar(Rows a, ReadOnlySpan<float> b, Rows y, int from, int to)
    {
        for (int q = 0; q < y.Count; q++)
        for (int i = 0; i < y.Width; i++)
        for (int k = from; k < to; k++)
            y[q][i] = MathF.FusedMultiplyAdd(a[q][k], b[k * y.Width + i], y[q][i]);
    }

    /// <summary>Adds the product a · b to y at the widest registers.</summary>
    /// <param name="a">Queries or weights, [queries, at least <paramref name="to"/>].</param>
    /// <param name="b">Keys or values of the page, [at least <paramref name="to"/>, y.Width].</param>
    /// <param name="y">Scores or results, [queries, width].</param>
    /// <param name="from">First k of the sum.</param>
    /// <param name="to">End of the k of the sum.</param>
    /// <param name="next">
    /// Memory that will be read after this call. It is fetched into the cache on the way, which changes no result; may
    /// be empty.
    /// </param>
    public static void Add(Rows a, ReadOnlySpan<float> b, Rows y, int from, int to, ReadOnlySpan<byte> next)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Count, y.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, a.Width);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to * y.Width, b.Length);
        if (from >= to)
            return;
        // With nothing to fetch, the loop fetches the page it reads anyway: that costs nothing and saves a branch.
        if (next.IsEmpty)
            next = MemoryMarshal.AsBytes(b);
        Lanes.Run(new AddProduct(a, b, y, from, to, next));
    }

    /// <summary>
    /// Computes the product with four queries at a time. The result values of a tile, four queries by 64 or 16 values,
    /// stay in registers while k runs; the queries and values left over are computed singly.
    /// </summary>
    internal readonly ref struct AddProduct(
        Rows a,
        ReadOnlySpan<float> b,
        Rows y,
        int from,
        int to,
        ReadOnlySpan<byte> next
    ) : ILaneKernel
    {
        private readonly Rows _a = a;
        private readonly ReadOnlySpan<float> _b = b;
        private readonly Rows _y = y;
        private readonly int _from = from;
        private readonly int _to = to;
        private readonly ReadOnlySpan<byte> _next = next;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int width = _y.Width,
                quads = _y.Count / Quad * Quad,
                wide = T.Registers == 1 ? width & ~63 : 0,
                full = width & ~15;
            // Each quad of queries fetches an equal share of the next page, spread evenly over its loop.
            nuint share = (nuint)(_next.Length / Math.Max(1, _y.Count / Quad)),
                step = share / (nuint)(_to - _from);
            for (int q = 0; q < quads; q += Quad)
            {
                ref readonly byte next = ref Unsafe.Add(
                    ref MemoryMarshal.GetReference(_next),
                    (nuint)(q / Quad) * share
                );
                for (int i = 0; i < wide; i += 64)
                    FourByFour<T>(q, i, in next, step);
                for (int i = wide; i < full; i += 16)
                    FourByOne<T>(q, i, in next, step);
            }
            for (int q = quads; q < _y.Count; q++)
            for (int i = 0; i < full; i += 16)
                One<T>(q, i);
            if (full < width)
                AddTail(full);
        }

        // Four queries meet 64 values: eight loads feed sixteen chains of multiply-adds, which hide each other's
        // latency.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void FourByFour<T>(int query, int first, ref readonly byte next, nuint step)
            where T : struct, ILanes<T>
        {
            nuint to = (nuint)_to,
                stride = (nuint)_y.Width,
                at = (nuint)(_from * _y.Width + first),
                ahead = 0;
            ref readonly float a0 = ref _a[query][0],
                a1 = ref _a[query + 1][0],
                a2 = ref _a[query + 2][0],
                a3 = ref _a[query + 3][0];
            ref readonly float b = ref MemoryMarshal.GetReference(_b);
            ref float y = ref _y[query][first];
            T s00 = T.Load(in y, 0),
                s01 = T.Load(in y, 16),
                s02 = T.Load(in y, 32),
                s03 = T.Load(in y, 48);
            T s10 = T.Load(in y, stride),
                s11 = T.Load(in y, stride + 16),
                s12 = T.Load(in y, stride + 32),
                s13 = T.Load(in y, stride + 48);
            nuint row = 2 * stride;
            T s20 = T.Load(in y, row),
                s21 = T.Load(in y, row + 16),
                s22 = T.Load(in y, row + 32),
                s23 = T.Load(in y, row + 48);
            row += stride;
            T s30 = T.Load(in y, row),
                s31 = T.Load(in y, row + 16),
                s32 = T.Load(in y, row + 32),
                s33 = T.Load(in y, row + 48);
            for (nuint k = (nuint)_from; k < to; k++, at += stride, ahead += step)
            {
                Prefetch.ReadFar(in next, ahead);
                Prefetch.ReadFar(in next, ahead + LineBytes);
                T b0 = T.Load(in b, at),
                    b1 = T.Load(in b, at + 16),
                    b2 = T.Load(in b, at + 32),
                    b3 = T.Load(in b, at + 48);
                T x = T.Create(Unsafe.Add(ref Unsafe.AsRef(in a0), k));
                s00 = T.MultiplyAdd(x, b0, s00);
                s01 = T.MultiplyAdd(x, b1, s01);
                s02 = T.MultiplyAdd(x, b2, s02);
                s03 = T.MultiplyAdd(x, b3, s03);
                x = T.Create(Unsafe.Add(ref Unsafe.AsRef(in a1), k));
                s10 = T.MultiplyAdd(x, b0, s10);
                s11 = T.MultiplyAdd(x, b1, s11);
                s12 = T.MultiplyAdd(x, b2, s12);
                s13 = T.MultiplyAdd(x, b3, s13);
                x = T.Create(Unsafe.Add(ref Unsafe.AsRef(in a2), k));
                s20 = T.MultiplyAdd(x, b0, s20);
                s21 = T.MultiplyAdd(x, b1, s21);
                s22 = T.MultiplyAdd(x, b2, s22);
                s23 = T.MultiplyAdd(x, b3, s23);
                x = T.Create(Unsafe.Add(ref Unsafe.AsRef(in a3), k));
                s30 = T.MultiplyAdd(x, b0, s30);
                s31 = T.MultiplyAdd(x, b1, s31);
                s32 = T.MultiplyAdd(x, b2, s32);
                s33 = T.MultiplyAdd(x, b3, s33);
            }
            T.Store(s00, ref y, 0);
            T.Store(s01, ref y, 16);
            T.Store(s02, ref y, 32);
            T.Store(s03, ref y, 48);
            y = ref Unsafe.Add(ref y, stride);
            T.Store(s10, ref y, 0);
            T.Store(s11, ref y, 16);
            T.Store(s12, ref y, 32);
            T.Store(s13, ref y, 48);
            y = ref Unsafe.Add(ref y, stride);
            T.Store(s20, ref y, 0);
            T.Store(s21, ref y, 16);
            T.Store(s22, ref y, 32);
            T.Store(s23, ref y, 48);
            y = ref Unsafe.Add(ref y, stride);
            T.Store(s30, ref y, 0);
            T.Store(s31, ref y, 16);
            T.Store(s32, ref y, 32);
            T.Store(s33, ref y, 48);
        }

        // Four queries meet 16 values. At 256 bits that is eight sums, and sixteen registers leave room for no more.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void FourByOne<T>(int query, int first, ref readonly byte next, nuint step)
            where T : struct, ILanes<T>
        {
            nuint to = (nuint)_to,
                stride = (nuint)_y.Width,
                at = (nuint)(_from * _y.Width + first),
                ahead = 0;
            ref readonly float a0 = ref _a[query][0],
                a1 = ref _a[query + 1][0],
                a2 = ref _a[query + 2][0],
                a3 = ref _a[query + 3][0];
            ref readonly float b = ref MemoryMarshal.GetReference(_b);
            ref float y = ref _y[query][first];
            T s0 = T.Load(in y, 0),
                s1 = T.Load(in y, stride),
                s2 = T.Load(in y, 2 * stride),
                s3 = T.Load(in y, 3 * stride);
            for (nuint k = (nuint)_from; k < to; k++, at += stride, ahead += step)
            {
                Prefetch.ReadFar(in next, ahead);
                Prefetch.ReadFar(in next, ahead + LineBytes);
                T values = T.Load(in b, at);
                s0 = T.MultiplyAdd(T.Create(Unsafe.Add(ref Unsafe.AsRef(in a0), k)), values, s0);
                s1 = T.MultiplyAdd(T.Create(Unsafe.Add(ref Unsafe.AsRef(in a1), k)), values, s1);
                s2 = T.MultiplyAdd(T.Create(Unsafe.Add(ref Unsafe.AsRef(in a2), k)), values, s2);
                s3 = T.MultiplyAdd(T.Create(Unsafe.Add(ref Unsafe.AsRef(in a3), k)), values, s3);
            }
            T.Store(s0, ref y, 0);
            T.Store(s1, ref y, stride);
            T.Store(s2, ref y, 2 * stride);
            T.Store(s3, ref y, 3 * stride);
        }

        private void One<T>(int query, int first)
            where T : struct, ILanes<T>
        {
            ReadOnlySpan<float> a = _a[query];
            ref readonly float b = ref MemoryMarshal.GetReference(_b);
            ref float y = ref _y[query][first];
            T sum = T.Load(in y, 0);
            for (int k = _from; k < _to; k++)
                sum = T.MultiplyAdd(T.Create(a[k]), T.Load(in b, (nuint)(k * _y.Width + first)), sum);
            T.Store(sum, ref y, 0);
        }

        // Where the width is no multiple of 16, the last values are computed one by one.
        private void AddTail(int first)
        {
            for (int q = 0; q < _y.Count; q++)
            {
                ReadOnlySpan<float> a = _a[q];
                Span<float> y = _y[q];
                for (int k = _from; k < _to; k++)
                for (int i = first; i < y.Length; i++)
                    y[i] = MathF.FusedMultiplyAdd(a[k], _b[k * y.Length + i], y[i]);
            }
        }
    }
}
