using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// Adds a product of few inputs: <c>y[t, o] += Σₖ u[t, k] · w[k, o]</c>, the second half of what an adapter adds.
/// </summary>
/// <remarks>
/// w: [rank, outputs] of numbers, stored input by input; u: [tokens, rank] float32; y: [tokens, outputs] float32. An
/// output's sum is one chain of fused multiply-adds from zero, k ascending, and is then added to y. The lanes hold
/// different outputs, so that no width of registers changes the order.
/// </remarks>
/// <param name="weights">The whole matrix, all its outputs.</param>
/// <param name="u">The inputs of every token.</param>
/// <param name="first">First output of the range.</param>
/// <param name="count">Number of outputs of the range.</param>
/// <param name="y">Where the sums are added, [tokens, outputs of the matrix].</param>
// Bound: WeightFormats.AddThin checks range and rows; sixteen outputs are read only where the range has them.
internal readonly ref struct ThinProduct<TNumbers>(ReadOnlySpan<byte> weights, Rows u, int first, int count, Rows y)
    : ILaneKernel
    where TNumbers : struct, INumberFormat
{
    private readonly ReadOnlySpan<byte> _weights = weights;
    private readonly Rows _u = u;
    private readonly int _first = first;
    private readonly int _count = count;
    private readonly Rows _y = y;

    /// <summary>The definition of one output's sum; tests compare every faster path with it.</summary>
    internal static float SumScalar(ReadOnlySpan<byte> weights, int outputs, ReadOnlySpan<float> u, int output)
    {
        float sum = 0;
        for (int k = 0; k < u.Length; k++)
            sum = MathF.FusedMultiplyAdd(u[k], TNumbers.Value(weights, k * outputs + output), sum);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>()
        where T : struct, ILanes<T>
    {
        int outputs = _y.Width,
            tokens = _y.Count,
            end = _first + _count,
            full = _first + (_count & ~(Lanes.Count - 1));
        for (int o = _first; o < full; o += Lanes.Count)
        {
            int token = 0;
            for (; token + 4 <= tokens; token += 4)
                AddFour<T>(token, o);
            for (; token < tokens; token++)
                AddOne<T>(token, o);
        }
        for (int o = full; o < end; o++)
        for (int token = 0; token < tokens; token++)
            _y.Values[token * outputs + o] += SumScalar(_weights, outputs, _u[token], o);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddOne<T>(int token, int output)
        where T : struct, ILanes<T>
    {
        ref readonly byte w = ref MemoryMarshal.GetReference(_weights);
        ReadOnlySpan<float> u = _u[token];
        T sum = T.Zero;
        for (int k = 0; k < u.Length; k++)
            sum = T.MultiplyAdd(T.Create(u[k]), TNumbers.Load<T>(in w, (nuint)(k * _y.Width + output)), sum);
        Add(sum, token, output);
    }

    // Four tokens share what was loaded and widened.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddFour<T>(int token, int output)
        where T : struct, ILanes<T>
    {
        ref readonly byte w = ref MemoryMarshal.GetReference(_weights);
        int rank = _u.Width;
        ReadOnlySpan<float> u = _u.Values.Slice(token * rank, 4 * rank);
        T s0 = T.Zero,
            s1 = T.Zero,
            s2 = T.Zero,
            s3 = T.Zero;
        for (int k = 0; k < rank; k++)
        {
            T v = TNumbers.Load<T>(in w, (nuint)(k * _y.Width + output));
            s0 = T.MultiplyAdd(T.Create(u[k]), v, s0);
            s1 = T.MultiplyAdd(T.Create(u[rank + k]), v, s1);
            s2 = T.MultiplyAdd(T.Create(u[2 * rank + k]), v, s2);
            s3 = T.MultiplyAdd(T.Create(u[3 * rank + k]), v, s3);
        }
        Add(s0, token, output);
        Add(s1, token + 1, output);
        Add(s2, token + 2, output);
        Add(s3, token + 3, output);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add<T>(T sum, int token, int output)
        where T : struct, ILanes<T>
    {
        ref float y = ref MemoryMarshal.GetReference(_y[token]);
        T.Store(T.Load(in y, (nuint)output) + sum, ref y, (nuint)output);
    }
}
