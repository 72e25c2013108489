using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>How the keys or the values of one head and 64 positions are stored: a tile, one run of memory.</summary>
/// <remarks>
/// Keys lie as [headDim, 64], values as [64, headDim], in the format's numbers. Int8 has [64] float32 scales behind
/// them, one for each position.
/// </remarks>
internal readonly struct KvTile(KeyValueFormat format, int headDim)
{
    private const int Positions = PageAttention.Positions;

    private int Count => Positions * headDim;

    /// <summary>Bytes of a tile, a multiple of 64.</summary>
    public int Bytes =>
        format switch
        {
            KeyValueFormat.Int8 => Count + Positions * sizeof(float),
            KeyValueFormat.Float16 => Count * sizeof(ushort),
            _ => Count * sizeof(float),
        };

    /// <summary>Writes the key [headDim] of a position, slot 0 to 63 of the tile.</summary>
    public void StoreKey(Span<byte> tile, int slot, ReadOnlySpan<float> key)
    {
        switch (format)
        {
            case KeyValueFormat.Int8:
                Span<sbyte> rounded = stackalloc sbyte[headDim],
                    bytes = MemoryMarshal.Cast<byte, sbyte>(tile);
                Scales(tile)[slot] = Int8Page.Quantize(key, rounded);
                for (int i = 0; i < rounded.Length; i++)
                    bytes[i * Positions + slot] = rounded[i];
                break;
            case KeyValueFormat.Float16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(tile);
                for (int i = 0; i < key.Length; i++)
                    halves[i * Positions + slot] = (Half)key[i];
                break;
            default:
                Span<float> floats = MemoryMarshal.Cast<byte, float>(tile);
                for (int i = 0; i < key.Length; i++)
                    floats[i * Positions + slot] = key[i];
                break;
        }
    }

    /// <summary>Writes the value [headDim] of a position.</summary>
    public void StoreValue(Span<byte> tile, int slot, ReadOnlySpan<float> value)
    {
        int at = slot * headDim;
        switch (format)
        {
            case KeyValueFormat.Int8:
                Scales(tile)[slot] = Int8Page.Quantize(value, MemoryMarshal.Cast<byte, sbyte>(tile).Slice(at, headDim));
                break;
            case KeyValueFormat.Float16:
                TensorPrimitives.ConvertToHalf(value, MemoryMarshal.Cast<byte, Half>(tile).Slice(at, headDim));
                break;
            default:
                value.CopyTo(MemoryMarshal.Cast<byte, float>(tile).Slice(at, headDim));
                break;
        }
    }

    /// <summary>The tile's keys [headDim, 64] as floats: the tile itself, or the scratch of as many floats.</summary>
    public ReadOnlySpan<float> Keys(Span<byte> tile, Span<float> scratch)
    {
        if (format != KeyValueFormat.Int8)
            return Floats(tile, scratch);
        Int8Page.WidenKeys(MemoryMarshal.Cast<byte, sbyte>(tile[..Count]), Scales(tile), scratch);
        return scratch;
    }

    /// <summary>The tile's values [64, headDim] as floats, alike.</summary>
    public ReadOnlySpan<float> Values(Span<byte> tile, Span<float> scratch)
    {
        if (format != KeyValueFormat.Int8)
            return Floats(tile, scratch);
        Int8Page.WidenValues(MemoryMarshal.Cast<byte, sbyte>(tile[..Count]), Scales(tile), scratch);
        return scratch;
    }

    // Widening float16 is exact.
    private ReadOnlySpan<float> Floats(Span<byte> tile, Span<float> scratch)
    {
        if (format == KeyValueFormat.Float32)
            return MemoryMarshal.Cast<byte, float>(tile);
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(tile), scratch);
        return scratch;
    }

    private Span<float> Scales(Span<byte> tile) => MemoryMarshal.Cast<byte, float>(tile[Count..]);
}
