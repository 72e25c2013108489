using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// Decodes MXFP4 in float lanes: four blocks fill sixteen lanes with eight codes each. <see cref="Mxfp4"/> has the
/// definition of the format.
/// </summary>
/// <remarks>
/// The eight codes of a lane are in two registers, four in each, one in the low half of each byte. Byte i of the first
/// has code 2i and of the second code 2i + 1, as neighbours come out of a byte; where a block is in halves, byte i of
/// the first has code i and of the second code i + 4.
/// <para>
/// A register of four codes is decoded by way of two more, called k: one serves the bytes 0 and 2, the other the bytes
/// 1 and 3. At 512 bits a lookup uses the lowest four bits of a lane only, so a shift is all. Elsewhere each lane of k
/// holds two decoded bfloat16 values, that of the lower byte in its lower half.
/// </para>
/// </remarks>
// Bound: the 64 bytes of the constant Spread, which fill sixteen lanes.
internal static class Mxfp4Lanes
{
    // Puts byte q of the lanes 4q to 4q + 3 at the bottom of these lanes; 255 looks up nothing and gives zero.
    // csharpier-ignore
    private static ReadOnlySpan<byte> Spread =>
        [
            0, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255,
            1, 255, 255, 255, 1, 255, 255, 255, 1, 255, 255, 255, 1, 255, 255, 255,
            2, 255, 255, 255, 2, 255, 255, 255, 2, 255, 255, 255, 2, 255, 255, 255,
            3, 255, 255, 255, 3, 255, 255, 255, 3, 255, 255, 255, 3, 255, 255, 255,
        ];

    /// <summary>Splits the bytes of the codes of four blocks into two registers of four codes a lane.</summary>
    /// <remarks>Below 512 bits the high halves of the bytes become zero.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split<T, TBlocks>(T bits, out T first, out T second)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        first = bits;
        second = bits >>> 4;
        if (typeof(T) != typeof(Lanes512))
        {
            T mask = T.CreateBits(0x0F0F_0F0F);
            first &= mask;
            second &= mask;
        }
        if (typeof(TBlocks) != typeof(Mxfp4Halves))
            return;
        // Of the values 0 to 15 a block's first and second lane have eight each, in this order; of the others the third
        // and the fourth.
        T low = first;
        first = T.EvenLanes(low, second);
        second = T.OddLanes(low, second);
    }

    /// <summary>Decodes four codes of each lane as far as <see cref="Values"/> wants it.</summary>
    /// <param name="codes">Four codes a lane from <see cref="Split"/>.</param>
    /// <param name="even">Receives the register of the bytes 0 and 2.</param>
    /// <param name="odd">Receives the register of the bytes 1 and 3.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<T>(T codes, out T even, out T odd)
        where T : struct, ILanes<T>
    {
        if (typeof(T) == typeof(Lanes512))
        {
            even = codes;
            odd = codes >>> 8;
            return;
        }
        T upper = T.LookUp(T.CreateBits(UpperBytes), codes),
            lower = T.LookUp(T.CreateBits(LowerBytes), codes),
            mask = T.CreateBits(0xFF00_FF00);
        even = T.SelectBytes(mask, upper << 8, lower);
        odd = T.SelectBytes(mask, upper, lower >>> 8);
    }

    // The sixteen E2M1 values as bfloat16, which holds them exactly: here the upper bytes, in LowerBytes the lower
    // ones. For example code 3 is 1.5, which is 0x3FC0: 0x3F here and 0xC0 there.
    // csharpier-ignore
    private static Vector128<byte> UpperBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector128.Create(
                0, 0x3F, 0x3F, 0x3F, 0x40, 0x40, 0x40, 0x40, 0x80, 0xBF, 0xBF, 0xBF, 0xC0, 0xC0, 0xC0, (byte)0xC0
            );
    }

    // csharpier-ignore
    private static Vector128<byte> LowerBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector128.Create(
                0, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0, 0, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, (byte)0xC0
            );
    }

    /// <summary>The values of code <paramref name="code"/>, 0 to 7, of each lane.</summary>
    /// <param name="code">A constant, so that the compiler leaves a shift or a mask of one register.</param>
    /// <param name="a0">The even register of the first four codes.</param>
    /// <param name="a1">The odd register of the first four codes.</param>
    /// <param name="b0">The even register of the second four codes.</param>
    /// <param name="b1">The odd register of the second four codes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Values<T, TBlocks>(int code, T a0, T a1, T b0, T b1)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        bool halves = typeof(TBlocks) == typeof(Mxfp4Halves);
        int place = halves ? code % 4 : code / 2;
        if (halves ? code < 4 : code % 2 == 0)
            return place < 2 ? LowerValues(place == 0 ? a0 : a1) : UpperValues(place == 2 ? a0 : a1);
        return place < 2 ? LowerValues(place == 0 ? b0 : b1) : UpperValues(place == 2 ? b0 : b1);
    }

    // The values of byte 0 from an even register, of byte 1 from an odd one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T LowerValues<T>(T k)
        where T : struct, ILanes<T>
    {
        if (typeof(T) != typeof(Lanes512))
            return k << 16;
        // csharpier-ignore
        Vector512<float> values = Vector512.Create(
            0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f
        );
        Vector512<int> codes = Unsafe.BitCast<T, Lanes512>(k).Value.AsInt32();
        return Unsafe.BitCast<Lanes512, T>(new(Avx512F.PermuteVar16x32(values, codes)));
    }

    // The values of byte 2 from an even register, of byte 3 from an odd one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T UpperValues<T>(T k)
        where T : struct, ILanes<T> =>
        typeof(T) == typeof(Lanes512) ? LowerValues(k >>> 16) : k & T.CreateBits(0xFFFF_0000);

    /// <summary>
    /// Decodes the scale bytes s of four blocks to 2^(s − 127): byte q of the lanes 4q to 4q + 3, in all four of them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FourScales<T>(T bytes)
        where T : struct, ILanes<T> => Exponents(T.LookUp(bytes, T.LoadBits(in MemoryMarshal.GetReference(Spread), 0)));

    /// <summary>The floats 2^(s − 127) of the bytes s at the bottom of each lane; the rest of a lane is zero.</summary>
    /// <remarks>
    /// A scale byte is the exponent of a float32, so that byte 255 gives infinity. Byte 0 must give 2⁻¹²⁷, whose bits
    /// are 0x0040_0000; as integers all other scales are larger, so the maximum corrects byte 0 alone.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exponents<T>(T bytes)
        where T : struct, ILanes<T> => T.MaxBits(bytes << 23, T.CreateBits(0x0040_0000));
}
