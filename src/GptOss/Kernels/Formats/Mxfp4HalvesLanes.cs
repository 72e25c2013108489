using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// Reads the blocks of GGUF at 512 bits with the permutation of bytes: two loads bring the bytes of the codes into the
/// lanes that need them, and the nibbles need not be turned around.
/// </summary>
/// <remarks>
/// Lane 4q + d of block q needs the values 8d to 8d + 7. They are the low nibbles of eight bytes for d = 0 and 1, and
/// the high ones of the same bytes for d = 2 and 3. One register gets the first four of the eight bytes in each lane,
/// another the last four; a shift by 4 in half of the lanes moves the nibbles down. The 68 bytes of four blocks are
/// read and no others.
/// </remarks>
// Bound: four whole blocks, which Mxfp4 and Mxfp4Int8 keep within their spans.
internal static class Mxfp4HalvesLanes
{
    /// <summary>
    /// Loads four blocks: the lowest nibbles of the bytes of a lane are its codes 0 to 3 in one register, and 4 to 7 in
    /// the other.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<T>(ref readonly byte blocks, out T first, out T last)
        where T : struct, ILanes<T>
    {
        Vector512<byte> start = Vector512.LoadUnsafe(in blocks),
            end = Vector512.LoadUnsafe(in blocks, 4);
        first = As<T>(Down(Avx512Vbmi.PermuteVar64x8(start, CodeBytes)));
        last = As<T>(Down(Avx512Vbmi.PermuteVar64x8(end, CodeBytes)));
    }

    /// <summary>Loads the codes of four blocks of 17 bytes, each into a part of 128 bits, as they are stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Four(ref readonly byte blocks)
    {
        // From byte 4 on a register holds the blocks 1 to 3 whole, and of block 0 all but three codes.
        Vector512<byte> codes = Avx512Vbmi.PermuteVar64x8(Vector512.LoadUnsafe(in blocks, 4), LaterBytes);
        return Avx512F.InsertVector128(codes.AsInt32(), Vector128.LoadUnsafe(in blocks, 1).AsInt32(), 0).AsByte();
    }

    // csharpier-ignore
    private static Vector512<byte> LaterBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector512.Create(
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
                48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, (byte)63
            );
    }

    // For block q the codes 0 to 3 and 8 to 11, twice; the first code is byte 17q + 1. From four bytes later on the
    // codes 4 to 7 and 12 to 15 have the same places.
    // csharpier-ignore
    private static Vector512<byte> CodeBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector512.Create(
                1, 2, 3, 4, 9, 10, 11, 12, 1, 2, 3, 4, 9, 10, 11, 12,
                18, 19, 20, 21, 26, 27, 28, 29, 18, 19, 20, 21, 26, 27, 28, 29,
                35, 36, 37, 38, 43, 44, 45, 46, 35, 36, 37, 38, 43, 44, 45, 46,
                52, 53, 54, 55, 60, 61, 62, 63, 52, 53, 54, 55, 60, 61, 62, (byte)63
            );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Down(Vector512<byte> codes) =>
        Avx512F.ShiftRightLogicalVariable(
            codes.AsUInt32(),
            Vector512.Create(0u, 0, 4, 4, 0, 0, 4, 4, 0, 0, 4, 4, 0, 0, 4, 4)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T As<T>(Vector512<uint> lanes)
        where T : struct, ILanes<T> => Unsafe.BitCast<Lanes512, T>(new(lanes.AsSingle()));
}
