using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Sixteen lanes as an array of sixteen floats, without vector instructions. It defines the result of every lane
/// operation, and it runs where the process has no vector registers.
/// </summary>
// Bound: sixteen values or bytes at the index, which every kernel keeps within its spans.
internal struct Lanes1 : ILanes<Lanes1>
{
    private const int Count = 16;

    private Sixteen _lanes;

    /// <summary>An inline array of sixteen floats.</summary>
    [InlineArray(Count)]
    private struct Sixteen
    {
        private float _first;
    }

    public static int Registers => Count;

    public static Lanes1 Zero => default;

    public static Lanes1 Create(float value)
    {
        Lanes1 result = default;
        ((Span<float>)result._lanes).Fill(value);
        return result;
    }

    public static Lanes1 Load(ref readonly float source, nuint index)
    {
        Lanes1 result = default;
        for (int i = 0; i < Count; i++)
            result._lanes[i] = Unsafe.Add(ref Unsafe.AsRef(in source), index + (nuint)i);
        return result;
    }

    public static void Store(Lanes1 lanes, ref float destination, nuint index)
    {
        for (int i = 0; i < Count; i++)
            Unsafe.Add(ref destination, index + (nuint)i) = lanes._lanes[i];
    }

    public static Lanes1 LoadBFloat16(ref readonly ushort source, nuint index)
    {
        Lanes1 result = default;
        for (int i = 0; i < Count; i++)
            result._lanes[i] = BitConverter.UInt32BitsToSingle(
                (uint)Unsafe.Add(ref Unsafe.AsRef(in source), index + (nuint)i) << 16
            );
        return result;
    }

    public static Lanes1 LoadSByte(ref readonly sbyte source, nuint index)
    {
        Lanes1 result = default;
        for (int i = 0; i < Count; i++)
            result._lanes[i] = Unsafe.Add(ref Unsafe.AsRef(in source), index + (nuint)i);
        return result;
    }

    public static Lanes1 FromSBytes(Vector128<sbyte> bytes)
    {
        Lanes1 result = default;
        for (int i = 0; i < Count; i++)
            result._lanes[i] = bytes[i];
        return result;
    }

    public static Lanes1 MultiplyAdd(Lanes1 a, Lanes1 b, Lanes1 addend)
    {
        for (int i = 0; i < Count; i++)
            addend._lanes[i] = MathF.FusedMultiplyAdd(a._lanes[i], b._lanes[i], addend._lanes[i]);
        return addend;
    }

    public static Lanes1 MultiplyAdd(Lanes1 a, ref readonly float b, nuint index, Lanes1 addend) =>
        MultiplyAdd(a, Load(in b, index), addend);

    public static Lanes1 operator +(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a._lanes[i] += b._lanes[i];
        return a;
    }

    public static Lanes1 operator -(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a._lanes[i] -= b._lanes[i];
        return a;
    }

    public static Lanes1 operator *(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a._lanes[i] *= b._lanes[i];
        return a;
    }

    public static Lanes1 operator /(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a._lanes[i] /= b._lanes[i];
        return a;
    }

    public static Lanes1 WhereLess(Lanes1 a, Lanes1 b, Lanes1 yes, Lanes1 no)
    {
        for (int i = 0; i < Count; i++)
            no._lanes[i] = a._lanes[i] < b._lanes[i] ? yes._lanes[i] : no._lanes[i];
        return no;
    }

    public static Lanes1 PowerOfTwo(Lanes1 shifted)
    {
        for (int i = 0; i < Count; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(shifted._lanes[i]);
            shifted._lanes[i] = BitConverter.UInt32BitsToSingle((bits << 23) + 0x3F80_0000u);
        }
        return shifted;
    }

    public static float Sum(Lanes1 lanes)
    {
        for (int half = Count / 2; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            lanes._lanes[i] += lanes._lanes[i + half];
        return lanes._lanes[0];
    }

    public static float Max(Lanes1 lanes)
    {
        float maximum = lanes._lanes[0];
        for (int i = 1; i < Count; i++)
            if (lanes._lanes[i] > maximum)
                maximum = lanes._lanes[i];
        return maximum;
    }

    public static Lanes1 LoadBits(ref readonly byte source, nuint offset)
    {
        Lanes1 result = default;
        Span<byte> bytes = result.Bytes;
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = Unsafe.Add(ref Unsafe.AsRef(in source), offset + (nuint)i);
        return result;
    }

    public static Lanes1 LoadBits(ref readonly byte source, nuint offset, nuint stride) =>
        CreateBits(
            Vector128.LoadUnsafe(in source, offset),
            Vector128.LoadUnsafe(in source, offset + stride),
            Vector128.LoadUnsafe(in source, offset + 2 * stride),
            Vector128.LoadUnsafe(in source, offset + 3 * stride)
        );

    public static Lanes1 CreateBits(uint bits) => Create(BitConverter.UInt32BitsToSingle(bits));

    public static Lanes1 CreateBits(Vector128<byte> four) => CreateBits(four, four, four, four);

    public static Lanes1 CreateBits(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d)
    {
        Lanes1 result = default;
        Span<byte> bytes = result.Bytes;
        a.CopyTo(bytes);
        b.CopyTo(bytes[16..]);
        c.CopyTo(bytes[32..]);
        d.CopyTo(bytes[48..]);
        return result;
    }

    public static Lanes1 operator &(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a.Bits[i] &= b.Bits[i];
        return a;
    }

    public static Lanes1 operator |(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a.Bits[i] |= b.Bits[i];
        return a;
    }

    public static Lanes1 operator <<(Lanes1 bits, int count)
    {
        for (int i = 0; i < Count; i++)
            bits.Bits[i] <<= count;
        return bits;
    }

    public static Lanes1 operator >>>(Lanes1 bits, int count)
    {
        for (int i = 0; i < Count; i++)
            bits.Bits[i] >>>= count;
        return bits;
    }

    public static Lanes1 SelectBytes(Lanes1 mask, Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            b.Bits[i] = mask.Bits[i] & a.Bits[i] | ~mask.Bits[i] & b.Bits[i];
        return b;
    }

    public static Lanes1 EvenLanes(Lanes1 a, Lanes1 b) => Pick(a, b, 0);

    public static Lanes1 OddLanes(Lanes1 a, Lanes1 b) => Pick(a, b, 1);

    private static Lanes1 Pick(Lanes1 a, Lanes1 b, int first)
    {
        Lanes1 result = default;
        for (int i = 0; i < Count; i++)
            result._lanes[i] = (i % 4 < 2 ? a : b)._lanes[i / 4 * 4 + first + i % 2 * 2];
        return result;
    }

    public static Lanes1 EveryFourth(Lanes1 a, Lanes1 b, Lanes1 c, Lanes1 d)
    {
        for (int i = 0; i < Count; i += 4)
            (a._lanes[i + 1], a._lanes[i + 2], a._lanes[i + 3]) = (b._lanes[i + 1], c._lanes[i + 2], d._lanes[i + 3]);
        return a;
    }

    public static Lanes1 MaxBits(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Count; i++)
            a.Bits[i] = Math.Max(a.Bits[i], b.Bits[i]);
        return a;
    }

    public static Lanes1 LookUp(Lanes1 table, Lanes1 indices)
    {
        Span<byte> bytes = indices.Bytes;
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = bytes[i] >= 128 ? (byte)0 : table.Bytes[i / 16 * 16 + bytes[i] % 16];
        return indices;
    }

    [UnscopedRef]
    private Span<uint> Bits => MemoryMarshal.Cast<float, uint>((Span<float>)_lanes);

    [UnscopedRef]
    private Span<byte> Bytes => MemoryMarshal.AsBytes((Span<float>)_lanes);

    public static float MaxMagnitude(Lanes1 a, Lanes1 b)
    {
        uint largest = 0;
        for (int i = 0; i < Count; i++)
        {
            largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(a._lanes[i]) & 0x7FFF_FFFFu);
            largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(b._lanes[i]) & 0x7FFF_FFFFu);
        }
        return BitConverter.UInt32BitsToSingle(largest);
    }

    public static Vector128<byte> LowBytes(Lanes1 lanes)
    {
        Span<byte> bytes = stackalloc byte[Count];
        for (int i = 0; i < Count; i++)
            bytes[i] = (byte)BitConverter.SingleToUInt32Bits(lanes._lanes[i]);
        return Vector128.Create<byte>(bytes);
    }
}
