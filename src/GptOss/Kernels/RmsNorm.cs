using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// Root-mean-square normalisation of one token's activations: <c>y = x / √(mean(x²) + ε) · weight</c>. The model
/// applies it before attention, before the experts and before the logits, so that the activations keep one size.
/// </summary>
/// <remarks>
/// x, y, weight: [hidden] float32. y may be x. ε is 1e-5 for gpt-oss. Order of the sum: x[k]² is added to lane k mod 16
/// by fused multiply-add, then the lanes are added by the tree of <see cref="ILanes{TSelf}.Sum"/>. Where the sum
/// exceeds float32, the whole row becomes NaN: dividing by the root would give zeros, and zeros look sound. Source:
/// RMSNorm in openai/gpt-oss, gpt_oss/torch/model.py.
/// </remarks>
// Bound: Row checks the three lengths; values past the last sixteen are read through a copy or one by one.
internal static class RmsNorm
{
    /// <summary>Normalises one row at the widest registers.</summary>
    public static void Row(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weight.Length, x.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length);
        Lanes.Run(new NormalizeRow(x, weight, epsilon, y));
    }

    /// <summary>Adds up the squares of a row, then scales the row; runs at any register width.</summary>
    internal readonly ref struct NormalizeRow(
        ReadOnlySpan<float> x,
        ReadOnlySpan<float> weight,
        float epsilon,
        Span<float> y
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _x = x;
        private readonly ReadOnlySpan<float> _weight = weight;
        private readonly float _epsilon = epsilon;
        private readonly Span<float> _y = y;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int full = _x.Length & ~(Lanes.Count - 1);
            ref readonly float x = ref MemoryMarshal.GetReference(_x);
            ref readonly float w = ref MemoryMarshal.GetReference(_weight);
            ref float y = ref MemoryMarshal.GetReference(_y);
            T squares = T.Zero;
            for (nuint k = 0; k < (nuint)full; k += Lanes.Count)
            {
                T v = T.Load(in x, k);
                squares = T.MultiplyAdd(v, v, squares);
            }
            if (full < _x.Length)
            {
                T v = Lanes.LoadPartial<T>(_x[full..], _x.Length - full);
                squares = T.MultiplyAdd(v, v, squares);
            }

            float sum = T.Sum(squares);
            float scale = float.IsFinite(sum) ? 1 / MathF.Sqrt(sum / _x.Length + _epsilon) : float.NaN;
            T scales = T.Create(scale);
            for (nuint k = 0; k < (nuint)full; k += Lanes.Count)
                T.Store(T.Load(in x, k) * scales * T.Load(in w, k), ref y, k);
            for (int k = full; k < _x.Length; k++)
                _y[k] = _x[k] * scale * _weight[k];
        }
    }
}
