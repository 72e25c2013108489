using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// Multiplies one output of a matrix, whose weights are widened to float32, by the activations of some tokens:
/// <c>y[t, output] = Σₖ w[k] · x[t, k] + bias</c>. It serves formats that have no kernel of their own; it is not fast.
/// </summary>
/// <remarks>
/// The order of the sum is that of <see cref="BFloat16"/>, so that the same values give the same bits in every format
/// of a file: product k is added to lane k mod 16 by fused multiply-add, then the lanes are added by the tree of
/// <see cref="ILanes{TSelf}.Sum"/>, then the bias is added.
/// </remarks>
internal static class PlainRow
{
    /// <summary>Computes one output for every token, at the widest registers.</summary>
    /// <param name="weights">Weights of the output, [inputs].</param>
    /// <param name="bias">One number, or empty for no bias.</param>
    /// <param name="x">Activations of the tokens, [tokens, inputs].</param>
    /// <param name="y">Receives the sums at [t, output]; its shape is [tokens, outputs].</param>
    /// <param name="output">Index of the output in <paramref name="y"/>.</param>
    public static void Multiply(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Rows x, Rows y, int output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, x.Width);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bias.Length, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)y.Width);
        Lanes.Run(new MultiplyPlainRow(weights, bias, x, y, output));
    }

    /// <summary>Computes one output for one token after the other; runs at any register width.</summary>
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
