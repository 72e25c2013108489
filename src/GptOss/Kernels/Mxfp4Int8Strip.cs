using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Decodes the MXFP4 weights of up to 32 outputs into a strip, which is scratch memory with the layout of an
/// <see cref="Int8Panel"/>: the doubled values, which are integers, as bytes, and the scales as float32. When many
/// tokens share an expert, each strip is decoded once and multiplied by all of them.
/// </summary>
internal static class Mxfp4Int8Strip
{
    private const int Rows = Int8Panel.Rows,
        Square = 16;

    /// <summary>Decodes the blocks and scales of up to 32 outputs.</summary>
    /// <param name="blocks">Codes of the outputs, [outputs of the strip, inputBlocks, 16].</param>
    /// <param name="scales">Scales of the outputs, [outputs of the strip, inputBlocks].</param>
    /// <param name="inputBlocks">Number of blocks of an output.</param>
    /// <param name="strip">
    /// Receives the strip. Where there are fewer than 32 outputs, the other rows keep their content.
    /// </param>
    public static void Decode<T>(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int inputBlocks,
        Span<byte> strip
    )
        where T : struct, IDots<T>
    {
        int rows = scales.Length / inputBlocks;
        Span<float> stripScales = MemoryMarshal.Cast<byte, float>(strip[(inputBlocks * Rows * Int8Row.BlockValues)..]);
        int done = 0;
        if (T.IsUnsigned && Avx512BW.IsSupported)
            for (; done + 16 <= rows; done += 16)
                DecodeSixteen(blocks[(done * inputBlocks * Mxfp4.BlockBytes)..], inputBlocks, strip[(done * 4)..]);
        for (int row = done; row < rows; row++)
            DecodeRow<T>(
                blocks.Slice(row * inputBlocks * Mxfp4.BlockBytes, inputBlocks * Mxfp4.BlockBytes),
                strip,
                row
            );
        DecodeScales(scales, inputBlocks, stripScales);
    }

    // The four 128-bit parts of register i hold the weight rows i, i + 4, i + 8 and i + 12. Interleaving dwords and
    // then quadwords of the four registers leaves the same dword of sixteen rows in order.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeSixteen(ReadOnlySpan<byte> blocks, int inputBlocks, Span<byte> strip)
    {
        nuint row = (nuint)(inputBlocks * Mxfp4.BlockBytes);
        ref readonly byte source = ref MemoryMarshal.GetReference(blocks);
        ref byte to = ref MemoryMarshal.GetReference(strip);
        for (int i = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks)
        {
            ref readonly byte at = ref Unsafe.Add(ref Unsafe.AsRef(in source), (nuint)(b * Mxfp4.BlockBytes));
            Vector512<int> r0 = FourRows(in at, row),
                r1 = FourRows(in Unsafe.Add(ref Unsafe.AsRef(in at), row), row);
            Vector512<int> r2 = FourRows(in Unsafe.Add(ref Unsafe.AsRef(in at), 2 * row), row);
            Vector512<int> r3 = FourRows(in Unsafe.Add(ref Unsafe.AsRef(in at), 3 * row), row);
            Vector512<long> low01 = Avx512F.UnpackLow(r0, r1).AsInt64(),
                low23 = Avx512F.UnpackLow(r2, r3).AsInt64();
            Vector512<long> high01 = Avx512F.UnpackHigh(r0, r1).AsInt64(),
                high23 = Avx512F.UnpackHigh(r2, r3).AsInt64();
            StoreSteps(Avx512F.UnpackLow(low01, low23), ref to, 0);
            StoreSteps(Avx512F.UnpackHigh(low01, low23), ref to, 2);
            StoreSteps(Avx512F.UnpackLow(high01, high23), ref to, 4);
            StoreSteps(Avx512F.UnpackHigh(high01, high23), ref to, 6);
            to = ref Unsafe.Add(ref to, Rows * Int8Row.BlockValues);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> FourRows(ref readonly byte at, nuint row)
    {
        Vector512<int> rows = Vector128.LoadUnsafe(in at).AsInt32().ToVector256().ToVector512();
        rows = Avx512F.InsertVector128(rows, Vector128.LoadUnsafe(in at, 4 * row).AsInt32(), 1);
        rows = Avx512F.InsertVector128(rows, Vector128.LoadUnsafe(in at, 8 * row).AsInt32(), 2);
        return Avx512F.InsertVector128(rows, Vector128.LoadUnsafe(in at, 12 * row).AsInt32(), 3);
    }

    // A register holds one dword, eight codes, of sixteen weight rows. Its low nibbles are the codes of even index,
    // which make one step, and its high nibbles those of odd index, which make the next.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSteps(Vector512<long> dwords, ref byte to, nuint step)
    {
        Vector512<byte> mask = Vector512.Create((byte)0xF);
        Vector512<byte> table = Vector512.Create(Vector256.Create(Mxfp4Int8.OffsetTable, Mxfp4Int8.OffsetTable));
        Avx512BW.Shuffle(table, dwords.AsByte() & mask).StoreUnsafe(ref to, step * Rows * 4);
        Avx512BW.Shuffle(table, (dwords.AsUInt16() >>> 4).AsByte() & mask).StoreUnsafe(ref to, (step + 1) * Rows * 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeRow<T>(ReadOnlySpan<byte> blocks, Span<byte> strip, int row)
        where T : struct, IDots<T>
    {
        int inputBlocks = blocks.Length / Mxfp4.BlockBytes,
            place = 0;
        Vector128<sbyte> table = Mxfp4Int8.SignedTable + Vector128.Create((sbyte)(T.IsUnsigned ? Mxfp4Int8.Offset : 0));
        ref readonly byte source = ref MemoryMarshal.GetReference(blocks);
        for (int i = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks, place++)
        {
            Vector128<byte> bits = Vector128.LoadUnsafe(in source, (nuint)(b * Mxfp4.BlockBytes));
            Vector128<sbyte> even = Vector128.ShuffleNative(table, (bits & Vector128.Create((byte)0xF)).AsSByte());
            Vector128<sbyte> odd = Vector128.ShuffleNative(table, (bits >>> 4).AsSByte());
            Int8Panel.PutRow<T>(even.AsByte(), odd.AsByte(), strip, place, row);
        }
    }

    private static void DecodeScales(ReadOnlySpan<byte> scales, int inputBlocks, Span<float> strip)
    {
        int rows = scales.Length / inputBlocks;
        Span<int> places = stackalloc int[Int8Row.LaneBlocks];
        Int8Row.FirstPlaces(inputBlocks, places);
        int done = 0;
        if (inputBlocks >= Square && (Sse2.IsSupported || AdvSimd.Arm64.IsSupported))
            for (; done + Square <= rows; done += Square)
            // The last square may overlap the one before, and then writes the same scales again.
            for (int b = 0; b < inputBlocks; b += Square)
                DecodeSquare(
                    scales[(done * inputBlocks)..],
                    inputBlocks,
                    Math.Min(b, inputBlocks - Square),
                    places,
                    strip[done..]
                );
        for (int b = 0; b < inputBlocks; b++)
        for (int row = done; row < rows; row++)
            strip[(places[b % Int8Row.LaneBlocks] + b / Int8Row.LaneBlocks) * Rows + row] = Mxfp4.Scale(
                scales[row * inputBlocks + b]
            );
    }

    // Transposes 16 × 16 scale bytes: interleaving the lower eight registers with the upper eight, four times, turns
    // rows into columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeSquare(
        ReadOnlySpan<byte> scales,
        int inputBlocks,
        int block,
        ReadOnlySpan<int> places,
        Span<float> strip
    )
    {
        Span<Vector128<byte>> from = stackalloc Vector128<byte>[Square],
            to = stackalloc Vector128<byte>[Square];
        for (int row = 0; row < Square; row++)
            from[row] = Vector128.Create(scales.Slice(row * inputBlocks + block, Square));
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < Square / 2; i++)
                (to[2 * i], to[2 * i + 1]) = Zip(from[i], from[i + Square / 2]);
            Span<Vector128<byte>> swap = from;
            from = to;
            to = swap;
        }
        for (int i = 0; i < Square; i++)
        {
            int b = block + i,
                place = places[b % Int8Row.LaneBlocks] + b / Int8Row.LaneBlocks;
            ref float at = ref MemoryMarshal.GetReference(strip.Slice(place * Rows, Square));
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(from[i]);
            Store(Vector128.Widen(low), ref at, 0);
            Store(Vector128.Widen(high), ref at, 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<byte> Low, Vector128<byte> High) Zip(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported
            ? (Sse2.UnpackLow(a, b), Sse2.UnpackHigh(a, b))
            : (AdvSimd.Arm64.ZipLow(a, b), AdvSimd.Arm64.ZipHigh(a, b));

    // A scale byte is the exponent of a float32. Byte 0 must give 2⁻¹²⁷, whose bits are 0x0040_0000; all other scales
    // are larger as integers, so the maximum corrects byte 0 alone.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store((Vector128<uint> Low, Vector128<uint> High) exponents, ref float to, nuint index)
    {
        Vector128<uint> least = Vector128.Create(0x0040_0000u);
        Vector128.Max(exponents.Low << 23, least).AsSingle().StoreUnsafe(ref to, index);
        Vector128.Max(exponents.High << 23, least).AsSingle().StoreUnsafe(ref to, index + 4);
    }
}
