using System.Buffers;
using System.Numerics;
using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>
/// Looks through the weights of a checkpoint for a value that is not finite, because that is what a damaged download
/// often contains.
/// </summary>
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
            if (tensor.DType is not (DType.BF16 or DType.F16 or DType.F32) && !scales)
                continue;
            for (long first = 0; first < tensor.Count; first += Chunk)
            {
                stop.ThrowIfCancellationRequested();
                int count = (int)Math.Min(Chunk, tensor.Count - first);
                int at = scales
                    ? new ReadOnlySpan<byte>(tensor.Data + first, count).IndexOfAny(NotAScale)
                    : tensor.DType switch
                    {
                        DType.F32 => IndexOfExponent(
                            new ReadOnlySpan<uint>(tensor.Data + 4 * first, count),
                            0x7F80_0000u
                        ),
                        DType.F16 => IndexOfExponent(
                            new ReadOnlySpan<ushort>(tensor.Data + 2 * first, count),
                            (ushort)0x7C00
                        ),
                        _ => IndexOfExponent(new ReadOnlySpan<ushort>(tensor.Data + 2 * first, count), (ushort)0x7F80),
                    };
                if (at >= 0)
                    return (tensor, first + at);
            }
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
