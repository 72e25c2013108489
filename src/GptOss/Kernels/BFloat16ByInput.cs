using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// Multiplies bfloat16 matrices, stored input by input, by the activations of some tokens:
/// <c>y[t, o] = Σₖ w[k, o] · x[t, k] + bias[o]</c>. The experts of bf16 fine-tunes are stored in this order.
/// </summary>
/// <remarks>
/// w: [inputs, outputs] bfloat16. Each sum has the order of <see cref="BFloat16"/>, so both give the same bits: product
/// k is added to lane k mod 16 of its output. Here a register holds one lane of sixteen outputs, and the lanes of 256
/// outputs lie in a buffer of shape [16, 256].
/// </remarks>
internal static class BFloat16ByInput
{
    /// <summary>
    /// Number of outputs summed side by side: their lanes take 16 KB, and the weights of one input are read in pieces
    /// of 512 bytes.
    /// </summary>
    private const int Chunk = 256;

    /// <summary>The definition of one output without its bias; tests compare the faster path with it.</summary>
    internal static float DotScalar(ReadOnlySpan<ushort> weights, int outputs, int output, ReadOnlySpan<float> x)
    {
        ushort[] row = new ushort[x.Length];
        for (int k = 0; k < x.Length; k++)
            row[k] = weights[k * outputs + output];
        return BFloat16.DotScalar(row, x);
    }

    /// <summary>
    /// Computes a range of outputs for every token; the length of the bias is the length of the range.
    /// </summary>
    /// <param name="weights">The whole matrix, [inputs, outputs].</param>
    /// <param name="bias">Bias of the range, [outputs of the range].</param>
    /// <param name="x">Activations of the tokens, [tokens, inputs].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="first">Index of the first output of the range.</param>
    public static void Multiply(ReadOnlySpan<ushort> weights, ReadOnlySpan<float> bias, Rows x, Rows y, int first)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, x.Width * y.Width);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + bias.Length, y.Width);
        Lanes.Run(new MultiplyBFloat16ByInput(weights, bias, x, y, first));
    }

    /// <summary>Computes a range of outputs, 256 at a time, for one token after the other.</summary>
    internal readonly ref struct MultiplyBFloat16ByInput(
        ReadOnlySpan<ushort> weights,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<ushort> _weights = weights;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            Span<float> lanes = stackalloc float[Lanes.Count * Chunk];
            for (int o = 0; o < _bias.Length; o += Chunk)
            {
                int count = Math.Min(Chunk, _bias.Length - o);
                for (int t = 0; t < _x.Count; t++)
                {
                    lanes.Clear();
                    AddInputs<T>(_x[t], _first + o, count, lanes);
                    AddLanes(lanes, count);
                    for (int i = 0; i < count; i++)
                        _y[t][_first + o + i] = lanes[i] + _bias[o + i];
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void AddInputs<T>(ReadOnlySpan<float> x, int first, int count, Span<float> lanes)
            where T : struct, ILanes<T>
        {
            int padded = (x.Length + Lanes.Count - 1) / Lanes.Count * Lanes.Count,
                full = count & ~(Lanes.Count - 1);
            for (int k = 0; k < padded; k++)
            {
                Span<float> lane = lanes.Slice(k % Lanes.Count * Chunk, Chunk);
                ReadOnlySpan<ushort> row = k < x.Length ? _weights.Slice(k * _y.Width + first, count) : default;
                float value = k < x.Length ? x[k] : 0;
                T v = T.Create(value);
                ref readonly ushort w = ref MemoryMarshal.GetReference(row);
                ref float sum = ref MemoryMarshal.GetReference(lane);
                int i = 0;
                if (!row.IsEmpty)
                    for (; i < full; i += Lanes.Count)
                        T.Store(
                            T.MultiplyAdd(T.LoadBFloat16(in w, (nuint)i), v, T.Load(in sum, (nuint)i)),
                            ref sum,
                            (nuint)i
                        );
                for (; i < count; i++)
                    lane[i] = MathF.FusedMultiplyAdd(row.IsEmpty ? 0 : BFloat16.ToSingle(row[i]), value, lane[i]);
            }
        }

        // Adds the sixteen lanes of every output in the order of the tree.
        private static void AddLanes(Span<float> lanes, int count)
        {
            for (int half = Lanes.Count / 2; half >= 1; half /= 2)
            for (int lane = 0; lane < half; lane++)
            for (int i = 0; i < count; i++)
                lanes[lane * Chunk + i] += lanes[(lane + half) * Chunk + i];
        }
    }
}
