using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// One row of a matrix, widened to float32: <c>y[t, output] = Σₖ w[k] · x[t, k] + bias</c>. Right for every format, and
/// not fast.
/// </summary>
/// <remarks>
/// The order of the sum is that of <see cref="BFloat16"/>, so that the same values give the same bits in whatever
/// format a file holds them: element k goes to lane k mod 16 by fused multiply-add, then the tree, then the bias.
/// </remarks>
internal static class PlainRow
{
    /// <param name="weights">[inputs].</param>
    /// <param name="bias">One number, or empty for none.</param>
    /// <param name="x">[tokens, inputs].</param>
    /// <param name="y">[tokens, outputs], written at [t, output].</param>
    /// <param name="output">The output that the row makes.</param>
    public static void Multiply(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Rows x, Rows y, int output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, x.Width);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bias.Length, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)y.Width);
        Lanes.Run(new MultiplyPlainRow(weights, bias, x, y, output));
    }

    internal readonly ref struct MultiplyPlainRow(
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int output
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _weights = weights;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _output = output;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int full = _weights.Length & ~(Lanes.Count - 1),
                rest = _weights.Length - full;
            ref readonly float w = ref MemoryMarshal.GetReference(_weights);
            for (int t = 0; t < _x.Count; t++)
            {
                ReadOnlySpan<float> token = _x[t];
                ref readonly float x = ref MemoryMarshal.GetReference(token);
                T sum = T.Zero;
                for (nuint k = 0; k < (nuint)full; k += Lanes.Count)
                    sum = T.MultiplyAdd(T.Load(in w, k), T.Load(in x, k), sum);
                if (rest > 0)
                    sum = T.MultiplyAdd(
                        Lanes.LoadPartial<T>(_weights[full..], rest),
                        Lanes.LoadPartial<T>(token[full..], rest),
                        sum
                    );
                _y[t][_output] = _bias.IsEmpty ? T.Sum(sum) : T.Sum(sum) + _bias[0];
            }
        }
    }
}
