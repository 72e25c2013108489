using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using GptOss.Checkpoint;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Model;

/// <summary>
/// Looks through the weights of a checkpoint for a value that is not finite, because that is what a damaged download
/// often contains.
/// </summary>
// Bound: reads the ByteLength of a tensor, which lies within its file (SafetensorsHeader.Parse, GgufHeader), in pieces
// that end with it.
internal static unsafe class WeightScan
{
    /// <summary>Values looked at between two looks at the stop flag.</summary>
    private const int Chunk = 1 << 20;

    private static readonly SearchValues<byte> NotAScale = SearchValues.Create(255);

    /// <summary>
    /// The first tensor that holds a NaN, an infinity or the scale byte 255, and the index of that element; null where
    /// all weights are finite.
    /// </summary>
    /// <param name="tensors">The tensors that the model uses, in the order of use.</param>
    /// <param name="stop">Ends the search early.</param>
    public static (Tensor Tensor, long Element)? FirstNotFinite(IEnumerable<Tensor> tensors, CancellationToken stop)
    {
        foreach (Tensor tensor in tensors)
        {
            bool scales =
                tensor.DType is DType.U8 or DType.F8E8M0 && tensor.Name.EndsWith("scales", StringComparison.Ordinal);
            long? at = scales
                ? Find(tensor, bytes => bytes.IndexOfAny(NotAScale), stop)
                : tensor.DType switch
                {
                    DType.F32 => Find(
                        tensor,
                        bytes => IndexOfExponent(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F80_0000u),
                        stop
                    ),
                    DType.F16 => Find(
                        tensor,
                        bytes => IndexOfExponent(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)0x7C00),
                        stop
                    ),
                    DType.BF16 => Find(
                        tensor,
                        bytes => IndexOfExponent(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)0x7F80),
                        stop
                    ),
                    _ when tensor.DType.BlockValues() > 1 && TensorFormats.Of(tensor.DType) is { } format => InBlocks(
                        tensor,
                        format,
                        stop
                    ),
                    _ => null,
                };
            if (at is { } element)
                return (tensor, element);
        }
        return null;
    }

    private static long? Find(Tensor tensor, Func<ReadOnlySpan<byte>, int> find, CancellationToken stop)
    {
        int each = tensor.DType.BlockBytes();
        for (long first = 0; first < tensor.Count; first += Chunk)
        {
            stop.ThrowIfCancellationRequested();
            int count = (int)Math.Min(Chunk, tensor.Count - first);
            int at = find(new ReadOnlySpan<byte>(tensor.Data + first * each, count * each));
            if (at >= 0)
                return first + at;
        }
        return null;
    }

    // A block is damaged where one of its values is, whatever scales it has.
    private static long? InBlocks(Tensor tensor, WeightFormat format, CancellationToken stop)
    {
        int width = tensor.DType.BlockValues(),
            bytes = tensor.DType.BlockBytes();
        Span<float> values = stackalloc float[width];
        for (long block = 0; block < tensor.Count / width; block++)
        {
            if (block % Chunk == 0)
                stop.ThrowIfCancellationRequested();
            var one = new StoredWeights
            {
                Outputs = 1,
                Inputs = width,
                Data = tensor.Data + block * bytes,
            };
            format.Widen(in one, 0, values);
            int at = values.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
            if (at >= 0)
                return block * width + at;
        }
        return null;
    }

    // Every bit of the exponent is set in NaN and in the infinities, and in no finite number.
    private static int IndexOfExponent<T>(ReadOnlySpan<T> values, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < values.Length; i++)
            if ((values[i] & exponent) == exponent)
                return i;
        return -1;
    }
}
