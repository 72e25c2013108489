using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// How the keys or the values of one head are stored in a page: writes those of a position, and gives those of all 64
/// positions back as floats.
/// </summary>
/// <remarks>
/// Keys lie as [headDim, 64], so that one instruction multiplies a number of a query with several positions; values
/// lie as [64, headDim]. The numbers are those of the format. Int8 has 64 float32 scales behind them, one for each
/// position.
/// </remarks>
/// <param name="format">The number format of keys and values.</param>
/// <param name="headDim">Numbers of one key or value.</param>
internal readonly struct KvHeadLayout(KeyValueFormat format, int headDim)
{
    // What the heads of models that exist have at most. A configuration may say a million, and a stack may have less
    // than that.
    private const int UsualHeadDim = 1024;

    private const int Positions = PageAttention.Positions;

    private int Count => Positions * headDim;

    /// <summary>Bytes of one head's keys, or of its values, in a page: a multiple of 64.</summary>
    public int Bytes =>
        format switch
        {
            KeyValueFormat.Int8 => Count + Positions * sizeof(float),
            KeyValueFormat.Float16 => Count * sizeof(ushort),
            _ => Count * sizeof(float),
        };

    /// <summary>Writes the key [headDim] of a position.</summary>
    /// <param name="stored">The head's keys in the page.</param>
    /// <param name="slot">The position within the page, 0 to 63.</param>
    /// <param name="key">The key's numbers in float32.</param>
    public void StoreKey(Span<byte> stored, int slot, ReadOnlySpan<float> key)
    {
        switch (format)
        {
            case KeyValueFormat.Int8:
                Span<sbyte> rounded = headDim <= UsualHeadDim ? stackalloc sbyte[headDim] : new sbyte[headDim],
                    bytes = MemoryMarshal.Cast<byte, sbyte>(stored);
                Scales(stored)[slot] = Int8Page.Quantize(key, rounded);
                for (int i = 0; i < rounded.Length; i++)
                    bytes[i * Positions + slot] = rounded[i];
                break;
            case KeyValueFormat.Float16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(stored);
                for (int i = 0; i < key.Length; i++)
                    halves[i * Positions + slot] = (Half)key[i];
                break;
            default:
                Span<float> floats = MemoryMarshal.Cast<byte, float>(stored);
                for (int i = 0; i < key.Length; i++)
                    floats[i * Positions + slot] = key[i];
                break;
        }
    }

    /// <summary>Writes the value [headDim] of a position.</summary>
    /// <param name="stored">The head's values in the page.</param>
    /// <param name="slot">The position within the page, 0 to 63.</param>
    /// <param name="value">The value's numbers in float32.</param>
    public void StoreValue(Span<byte> stored, int slot, ReadOnlySpan<float> value)
    {
        int at = slot * headDim;
        switch (format)
        {
            case KeyValueFormat.Int8:
                Span<sbyte> bytes = MemoryMarshal.Cast<byte, sbyte>(stored);
                Scales(stored)[slot] = Int8Page.Quantize(value, bytes.Slice(at, headDim));
                break;
            case KeyValueFormat.Float16:
                TensorPrimitives.ConvertToHalf(value, MemoryMarshal.Cast<byte, Half>(stored).Slice(at, headDim));
                break;
            default:
                value.CopyTo(MemoryMarshal.Cast<byte, float>(stored).Slice(at, headDim));
                break;
        }
    }

    /// <summary>
    /// The head's keys of a page as floats, [headDim, 64]: the stored memory itself where it holds float32, else the
    /// scratch, which must have room for exactly these floats.
    /// </summary>
    public ReadOnlySpan<float> Keys(Span<byte> stored, Span<float> scratch)
    {
        if (format != KeyValueFormat.Int8)
            return Floats(stored, scratch);
        Int8Page.WidenKeys(MemoryMarshal.Cast<byte, sbyte>(stored[..Count]), Scales(stored), scratch);
        return scratch;
    }

    /// <summary>
    /// The head's values of a page as floats, [64, headDim]: the stored memory itself where it holds float32, else the
    /// scratch, which must have room for exactly these floats.
    /// </summary>
    public ReadOnlySpan<float> Values(Span<byte> stored, Span<float> scratch)
    {
        if (format != KeyValueFormat.Int8)
            return Floats(stored, scratch);
        Int8Page.WidenValues(MemoryMarshal.Cast<byte, sbyte>(stored[..Count]), Scales(stored), scratch);
        return scratch;
    }

    /// <summary>Sets the key of every position from a slot on to zeros.</summary>
    /// <param name="stored">The head's keys in a page.</param>
    /// <param name="slot">The first position within the page whose key goes.</param>
    public void ClearKeys(Span<byte> stored, int slot)
    {
        int bytes = NumberBytes;
        for (int i = 0; i < headDim; i++)
            stored.Slice(i * Positions * bytes, Positions * bytes)[(slot * bytes)..].Clear();
        ClearScales(stored, slot);
    }

    /// <summary>Sets the value of every position from a slot on to zeros.</summary>
    /// <param name="stored">The head's values in a page.</param>
    /// <param name="slot">The first position within the page whose value goes.</param>
    public void ClearValues(Span<byte> stored, int slot)
    {
        stored[(slot * headDim * NumberBytes)..(Count * NumberBytes)].Clear();
        ClearScales(stored, slot);
    }

    private int NumberBytes =>
        format switch
        {
            KeyValueFormat.Int8 => sizeof(byte),
            KeyValueFormat.Float16 => sizeof(ushort),
            _ => sizeof(float),
        };

    private void ClearScales(Span<byte> stored, int slot)
    {
        if (format == KeyValueFormat.Int8)
            Scales(stored)[slot..].Clear();
    }

    // Every float16 value is a float32 value too, so widening rounds nothing.
    private ReadOnlySpan<float> Floats(Span<byte> stored, Span<float> scratch)
    {
        if (format == KeyValueFormat.Float32)
            return MemoryMarshal.Cast<byte, float>(stored);
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(stored), scratch);
        return scratch;
    }

    private Span<float> Scales(Span<byte> stored) => MemoryMarshal.Cast<byte, float>(stored[Count..]);
}
