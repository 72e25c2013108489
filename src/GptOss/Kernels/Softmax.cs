using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// Turns logits into sampling weights, <c>y = e^((x − maximum) / temperature)</c>. The weights are not divided by their
/// sum: the probability of token i is y[i] / Σ y.
/// </summary>
// Bound: Weights checks both lengths; values past the last sixteen are computed one by one.
internal static class Softmax
{
    /// <summary>Computes the weights of all logits at the widest registers.</summary>
    /// <param name="x">Logits of one token, [vocab].</param>
    /// <param name="maximum">The largest logit: subtracting it keeps every exponential finite.</param>
    /// <param name="temperature">A temperature above 0.</param>
    /// <param name="y">Receives the weights, [vocab]; may be <paramref name="x"/>.</param>
    public static void Weights(ReadOnlySpan<float> x, float maximum, float temperature, Span<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length);
        Lanes.Run(new WeighLogits(x, maximum, temperature, y));
    }

    /// <summary>Computes the weight of each logit; runs at any register width.</summary>
    internal readonly ref struct WeighLogits(ReadOnlySpan<float> x, float maximum, float temperature, Span<float> y)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _x = x;
        private readonly float _maximum = maximum;
        private readonly float _temperature = temperature;
        private readonly Span<float> _y = y;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int full = _x.Length & ~(Lanes.Count - 1);
            ref readonly float x = ref MemoryMarshal.GetReference(_x);
            ref float y = ref MemoryMarshal.GetReference(_y);
            T maximum = T.Create(_maximum),
                temperature = T.Create(_temperature);
            for (nuint i = 0; i < (nuint)full; i += Lanes.Count)
                T.Store(Exp.Of((T.Load(in x, i) - maximum) / temperature), ref y, i);
            for (int i = full; i < _x.Length; i++)
                _y[i] = Exp.Of((_x[i] - _maximum) / _temperature);
        }
    }
}
