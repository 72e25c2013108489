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

    private static readonly string[] OrderInLayer =
    [
        "input_layernorm",
        "attn.norm",
        "q_proj",
        "qkv",
        "k_proj",
        "v_proj",
        "sinks",
        "o_proj",
        "attn.out",
        "post_attention_layernorm",
        "mlp.norm",
        "router",
        "mlp.gate",
        "gate_up_proj",
        "gate_proj",
        "up_proj",
        "mlp1",
        "down_proj",
        "mlp2",
        "norm",
    ];

    private static readonly SearchValues<byte> NotAScale = SearchValues.Create(255);

    /// <summary>
    /// The first tensor, in the order of the forward pass, that holds a NaN, an infinity or the scale byte 255, and the
    /// index of that element; null where all weights are finite.
    /// </summary>
    public static (string Tensor, long Element)? FirstNotFinite(CheckpointFolder checkpoint, CancellationToken stop)
    {
        foreach (
            Tensor tensor in checkpoint
                .UsedTensors.OrderBy(tensor => Depth(tensor.Name))
                .ThenBy(tensor => PlaceInLayer(tensor.Name))
        )
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
                    return (tensor.Name, first + at);
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

    // The place of a tensor in the order in which a layer uses its weights. Of the two tensors behind the layers, the
    // final norm gets a lower place than the head.
    private static int PlaceInLayer(string name)
    {
        int place = Array.FindIndex(OrderInLayer, part => name.Contains(part, StringComparison.Ordinal));
        return place >= 0 ? place : OrderInLayer.Length;
    }

    // −1 for the embedding, the number of its layer for a layer's weight, and the largest number for what is behind.
    private static int Depth(string name)
    {
        if (name.Contains("embed", StringComparison.Ordinal) && !name.Contains("unembed", StringComparison.Ordinal))
            return -1;
        foreach (string part in name.Split('.'))
            if (int.TryParse(part, out int layer))
                return layer;
        return int.MaxValue;
    }
}
