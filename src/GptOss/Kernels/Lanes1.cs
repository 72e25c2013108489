using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// Sixteen lanes as an array of sixteen floats, without vector instructions. It defines the result of every lane
/// operation, and it runs where the process has no vector registers.
/// </summary>
internal struct Lanes1 : ILanes<Lanes1>
{
    private Sixteen _lanes;

    /// <summary>An inline array of sixteen floats.</summary>
    [InlineArray(Lanes.Count)]
    private struct Sixteen
    {
        private float _first;
    }

    public static int Registers => Lanes.Count;

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
        for (int i = 0; i < Lanes.Count; i++)
            result._lanes[i] = Unsafe.Add(ref Unsafe.AsRef(in source), index + (nuint)i);
        return result;
    }

    public static void Store(Lanes1 lanes, ref float destination, nuint index)
    {
        for (int i = 0; i < Lanes.Count; i++)
            Unsafe.Add(ref destination, index + (nuint)i) = lanes._lanes[i];
    }

    public static Lanes1 LoadBFloat16(ref readonly ushort source, nuint index)
    {
        Lanes1 result = default;
        for (int i = 0; i < Lanes.Count; i++)
            result._lanes[i] = BFloat16.ToSingle(Unsafe.Add(ref Unsafe.AsRef(in source), index + (nuint)i));
        return result;
    }

    public static Lanes1 LoadSByte(ref readonly sbyte source, nuint index)
    {
        Lanes1 result = default;
        for (int i = 0; i < Lanes.Count; i++)
            result._lanes[i] = Unsafe.Add(ref Unsafe.AsRef(in source), index + (nuint)i);
        return result;
    }

    public static Lanes1 MultiplyAdd(Lanes1 a, Lanes1 b, Lanes1 addend)
    {
        for (int i = 0; i < Lanes.Count; i++)
            addend._lanes[i] = MathF.FusedMultiplyAdd(a._lanes[i], b._lanes[i], addend._lanes[i]);
        return addend;
    }

    public static Lanes1 operator +(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Lanes.Count; i++)
            a._lanes[i] += b._lanes[i];
        return a;
    }

    public static Lanes1 operator -(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Lanes.Count; i++)
            a._lanes[i] -= b._lanes[i];
        return a;
    }

    public static Lanes1 operator *(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Lanes.Count; i++)
            a._lanes[i] *= b._lanes[i];
        return a;
    }

    public static Lanes1 operator /(Lanes1 a, Lanes1 b)
    {
        for (int i = 0; i < Lanes.Count; i++)
            a._lanes[i] /= b._lanes[i];
        return a;
    }

    public static Lanes1 WhereLess(Lanes1 a, Lanes1 b, Lanes1 yes, Lanes1 no)
    {
        for (int i = 0; i < Lanes.Count; i++)
            no._lanes[i] = a._lanes[i] < b._lanes[i] ? yes._lanes[i] : no._lanes[i];
        return no;
    }

    public static Lanes1 PowerOfTwo(Lanes1 shifted)
    {
        for (int i = 0; i < Lanes.Count; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(shifted._lanes[i]);
            shifted._lanes[i] = BitConverter.UInt32BitsToSingle((bits << 23) + 0x3F80_0000u);
        }
        return shifted;
    }

    public static float Sum(Lanes1 lanes)
    {
        for (int half = Lanes.Count / 2; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            lanes._lanes[i] += lanes._lanes[i + half];
        return lanes._lanes[0];
    }

    public static float Max(Lanes1 lanes)
    {
        float maximum = lanes._lanes[0];
        for (int i = 1; i < Lanes.Count; i++)
            if (lanes._lanes[i] > maximum)
                maximum = lanes._lanes[i];
        return maximum;
    }

    public static Lanes1 LoadBits(ref readonly byte source, nuint offset) => LoadBits(in source, offset, 4);

    public static Lanes1 LoadBits(ref readonly byte source, nuint offset, int blocks)
    {
        Lanes1 result = default;
        Span<byte> bytes = MemoryMarshal.AsBytes((Span<float>)result._lanes);
        for (int i = 0; i < blocks * Mxfp4.BlockBytes; i++)
            bytes[i] = Unsafe.Add(ref Unsafe.AsRef(in source), offset + (nuint)i);
        return result;
    }

    public static void Codes(Lanes1 bits, out Lanes1 k0, out Lanes1 k1, out Lanes1 k2, out Lanes1 k3) =>
        (k0, k1, k2, k3) = (bits, Shift(bits, 4), Shift(bits, 8), Shift(bits, 12));

    public static Lanes1 FirstValues(Lanes1 k)
    {
        for (int i = 0; i < Lanes.Count; i++)
            k._lanes[i] = Mxfp4.Value((int)BitConverter.SingleToUInt32Bits(k._lanes[i]) & 0xF);
        return k;
    }

    public static Lanes1 SecondValues(Lanes1 k) => FirstValues(Shift(k, 16));

    private static Lanes1 Shift(Lanes1 bits, int count)
    {
        for (int i = 0; i < Lanes.Count; i++)
            bits._lanes[i] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(bits._lanes[i]) >> count);
        return bits;
    }

    public static Lanes1 Scales(ref readonly byte source, nuint offset)
    {
        Lanes1 result = default;
        for (int i = 0; i < Lanes.Count; i++)
            result._lanes[i] = Mxfp4.Scale(Unsafe.Add(ref Unsafe.AsRef(in source), offset + (nuint)i / 4));
        return result;
    }

    public static float MaxMagnitude(Lanes1 a, Lanes1 b)
    {
        uint largest = 0;
        for (int i = 0; i < Lanes.Count; i++)
        {
            largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(a._lanes[i]) & 0x7FFF_FFFFu);
            largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(b._lanes[i]) & 0x7FFF_FFFFu);
        }
        return BitConverter.UInt32BitsToSingle(largest);
    }

    public static Vector128<byte> LowBytes(Lanes1 lanes)
    {
        Span<byte> bytes = stackalloc byte[Lanes.Count];
        for (int i = 0; i < Lanes.Count; i++)
            bytes[i] = (byte)BitConverter.SingleToUInt32Bits(lanes._lanes[i]);
        return Vector128.Create<byte>(bytes);
    }

    public static Lanes1 BlockSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
    {
        Lanes1 result = default;
        for (int b = 0; b < Lanes.Count; b++)
        {
            int sum = 0;
            for (int i = 0; i < Mxfp4.BlockBytes; i++)
            {
                byte codes = Unsafe.Add(ref Unsafe.AsRef(in blocks), offset + (nuint)(b * Mxfp4.BlockBytes + i));
                nuint even = at + (nuint)(b / 4 * 128 + b % 4 * 16 + i);
                sum +=
                    Mxfp4Int8.Twice(codes & 0xF) * (sbyte)Unsafe.Add(ref Unsafe.AsRef(in x), even)
                    + Mxfp4Int8.Twice(codes >> 4) * (sbyte)Unsafe.Add(ref Unsafe.AsRef(in x), even + 64);
            }
            result._lanes[Int8Row.Lane(b)] = sum;
        }
        return result;
    }

    public static Lanes1 BlockScales(Vector128<byte> scales)
    {
        Lanes1 result = default;
        for (int b = 0; b < Lanes.Count; b++)
            result._lanes[Int8Row.Lane(b)] = Mxfp4.Scale(scales[b]);
        return result;
    }
}
