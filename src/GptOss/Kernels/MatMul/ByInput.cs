using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Formats;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// Matrices of numbers, stored input by input: <c>y[t, o] = Σₖ w[k, o] · x[t, k]</c>. The experts of bf16 fine-tunes
/// are stored in this order.
/// </summary>
/// <remarks>
/// w: [inputs, outputs]. Each sum has the order of <see cref="ByOutput{TNumbers}"/>, so both give the same bits:
/// product k is added to lane k mod 16 of its output. For few tokens a register holds one lane of sixteen outputs, and
/// the lanes of 256 outputs lie in a buffer of shape [16, 256]. For many tokens the weights of 32 outputs are widened
/// into a strip of shape [32, inputs] once, and multiplied by all of them.
/// </remarks>
// Bound: the span's Multiply checks weights, rows, range and scratch; the kernel reads sixteen outputs only where the
// range has them.
internal readonly unsafe struct ByInput<TNumbers> : IMatrixFormat
    where TNumbers : struct, INumberFormat
{
    /// <summary>
    /// Number of outputs summed side by side: the lanes of a token take 16 KB, and the weights of one input are read in
    /// pieces of 512 bytes, if a weight has two.
    /// </summary>
    private const int Chunk = 256;

    /// <summary>Number of outputs of a strip; with 2,880 inputs it takes 369 KB.</summary>
    private const int StripOutputs = 32;

    /// <summary>Most tokens that are computed without a strip: their lanes take 48 KB.</summary>
    private const int FewTokens = 3;

    /// <summary>Whole cache lines of weights.</summary>
    public static int UnitOutputs => 64;

    public static long Bytes(int outputs, int inputs) => ByOutput<TNumbers>.Bytes(inputs, outputs);

    public static int PermutedWidth(int inputs) => 0;

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) => x.CopyTo(permuted);

    public static int ScratchFloats(int inputs, int tokens) => tokens <= FewTokens ? 0 : StripOutputs * inputs;

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch) =>
        Multiply(new(w.Data, checked((int)Bytes(w.Outputs, w.Inputs))), first, count, x, y, scratch);

    public static void Widen(in StoredWeights w, int output, Span<float> row)
    {
        int inputBytes = (int)ByOutput<TNumbers>.Bytes(1, w.Outputs);
        for (int k = 0; k < row.Length; k++)
            row[k] = TNumbers.Value(new(w.Data + (long)k * inputBytes, inputBytes), output);
    }

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="weights">The whole matrix, [inputs, outputs].</param>
    /// <param name="first">First output of the range.</param>
    /// <param name="count">Number of outputs of the range.</param>
    /// <param name="x">Activations of the tokens, [tokens, inputs].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="scratch">Working memory of that length, [<see cref="ScratchFloats"/>].</param>
    public static void Multiply(ReadOnlySpan<byte> weights, int first, int count, Rows x, Rows y, Span<float> scratch)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Width % TNumbers.BlockValues, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, (int)Bytes(y.Width, x.Width));
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, y.Width - count);
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Length, ScratchFloats(x.Width, x.Count));
        if (x.Count <= FewTokens)
            Lanes.Run(new MultiplyByInput(weights, first, count, x, y));
        else
            Lanes.Run(new MultiplyStripsByInput(weights, first, count, x, y, scratch));
    }

    /// <summary>Computes a range of outputs, 256 at a time, for few tokens.</summary>
    internal readonly ref struct MultiplyByInput(ReadOnlySpan<byte> weights, int first, int count, Rows x, Rows y)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly int _first = first;
        private readonly int _count = count;
        private readonly Rows _x = x;
        private readonly Rows _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            Span<float> lanes = stackalloc float[FewTokens * Lanes.Count * Chunk];
            for (int t = 0; t < _x.Count; t += FewTokens)
            for (int o = 0; o < _count; o += Chunk)
                Add<T>(t, Math.Min(FewTokens, _x.Count - t), _first + o, Math.Min(Chunk, _count - o), lanes);
        }

        private void Add<T>(int token, int tokens, int first, int count, Span<float> lanes)
            where T : struct, ILanes<T>
        {
            lanes.Clear();
            int padded = (_x.Width + Lanes.Count - 1) / Lanes.Count * Lanes.Count;
            for (int k = 0; k < padded; k++)
                AddInput<T>(k, token, tokens, first, count, lanes);
            for (int t = 0; t < tokens; t++)
            {
                Span<float> sums = lanes.Slice(t * Lanes.Count * Chunk, Lanes.Count * Chunk);
                AddLanes(sums, count);
                sums[..count].CopyTo(_y[token + t][first..]);
            }
        }

        // The weights of one input meet every token while they are in the cache.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void AddInput<T>(int k, int token, int tokens, int first, int count, Span<float> lanes)
            where T : struct, ILanes<T>
        {
            int full = count & ~(Lanes.Count - 1),
                inputBytes = (int)ByOutput<TNumbers>.Bytes(1, _y.Width);
            ReadOnlySpan<byte> row = k < _x.Width ? _weights.Slice(k * inputBytes, inputBytes) : default;
            ref readonly byte w = ref MemoryMarshal.GetReference(row);
            for (int t = 0; t < tokens; t++)
            {
                Span<float> lane = lanes.Slice((t * Lanes.Count + k % Lanes.Count) * Chunk, Chunk);
                float value = row.IsEmpty ? 0 : _x[token + t][k];
                T v = T.Create(value);
                ref float sum = ref MemoryMarshal.GetReference(lane);
                int i = 0;
                if (!row.IsEmpty)
                    for (; i < full; i += Lanes.Count)
                    {
                        T weights = TNumbers.Load<T>(in w, (nuint)(first + i));
                        T.Store(T.MultiplyAdd(weights, v, T.Load(in sum, (nuint)i)), ref sum, (nuint)i);
                    }
                for (; i < count; i++)
                {
                    float weight = row.IsEmpty ? 0 : TNumbers.Value(row, first + i);
                    lane[i] = MathF.FusedMultiplyAdd(weight, value, lane[i]);
                }
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

    /// <summary>Widens the weights of 32 outputs into a strip at a time, and multiplies it by all tokens.</summary>
    internal readonly ref struct MultiplyStripsByInput(
        ReadOnlySpan<byte> weights,
        int first,
        int count,
        Rows x,
        Rows y,
        Span<float> scratch
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly int _first = first;
        private readonly int _count = count;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly Span<float> _scratch = scratch;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (int o = 0; o < _count; o += StripOutputs)
            {
                int count = Math.Min(StripOutputs, _count - o);
                Span<float> strip = _scratch[..(count * _x.Width)];
                for (int k = 0; k < _x.Width; k += Lanes.Count)
                    Turn<T>(k, _first + o, count, strip);
                ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(strip);
                new ByOutput<Float32>.MultiplyByOutput(bytes, count, _x, _y, _first + o).Run<T>();
            }
        }

        // Sixteen inputs of the strip's outputs: what lies input by input is written output by output.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Turn<T>(int k, int first, int count, Span<float> strip)
            where T : struct, ILanes<T>
        {
            Span<float> square = stackalloc float[Lanes.Count * StripOutputs];
            int inputs = Math.Min(Lanes.Count, _x.Width - k),
                inputBytes = (int)ByOutput<TNumbers>.Bytes(1, _y.Width);
            for (int i = 0; i < inputs; i++)
            {
                ReadOnlySpan<byte> row = _weights.Slice((k + i) * inputBytes, inputBytes);
                Span<float> to = square.Slice(i * StripOutputs, StripOutputs);
                int o = 0;
                for (; o + Lanes.Count <= count; o += Lanes.Count)
                    T.Store(
                        TNumbers.Load<T>(in MemoryMarshal.GetReference(row), (nuint)(first + o)),
                        ref MemoryMarshal.GetReference(to),
                        (nuint)o
                    );
                for (; o < count; o++)
                    to[o] = TNumbers.Value(row, first + o);
            }
            ref readonly float from = ref MemoryMarshal.GetReference(square);
            for (int o = 0; o < count; o++)
            {
                Span<float> to = strip.Slice(o * _x.Width + k, inputs);
                for (int i = 0; i < to.Length; i++)
                    to[i] = Unsafe.Add(ref Unsafe.AsRef(in from), i * StripOutputs + o);
            }
        }
    }
}
