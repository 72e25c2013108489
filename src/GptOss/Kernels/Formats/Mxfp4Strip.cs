// Over 300 lines: the same turning of rows at three widths, for codes and for scales.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// Decodes the MXFP4 weights of up to 32 outputs into a strip, which is scratch memory with the layout of an
/// <see cref="Int8Panel"/>: the doubled values, which are integers, as bytes, and the scales as float32. When many
/// tokens share an expert, each strip is decoded once and multiplied by all of them.
/// </summary>
// Bound: Decode gets spans of whole rows from Mxfp4Int8, which has checked blocks, scales and scratch.
internal static class Mxfp4Strip
{
    private const int Rows = Int8Panel.Rows;

    /// <summary>Decodes the blocks and scales of up to 32 outputs.</summary>
    /// <param name="codes">Blocks of the outputs, from the first code on.</param>
    /// <param name="blockBytes">Number of bytes from one block to the next.</param>
    /// <param name="scales">Scales of the outputs, [outputs of the strip, inputBlocks].</param>
    /// <param name="inputBlocks">Number of blocks of an output.</param>
    /// <param name="table">The stored byte of each code.</param>
    /// <param name="strip">
    /// Receives the strip. Where there are fewer than 32 outputs, the other rows keep their content.
    /// </param>
    public static void Decode<T>(
        ReadOnlySpan<byte> codes,
        int blockBytes,
        ReadOnlySpan<byte> scales,
        int inputBlocks,
        Vector128<byte> table,
        Span<byte> strip
    )
        where T : struct, IDots<T>
    {
        int rows = scales.Length / inputBlocks,
            rowBytes = inputBlocks * blockBytes,
            done = 0;
        // Where a step takes four bytes of a weight row, as many rows are decoded together as a register has parts of
        // four.
        if (T.Steps == 8)
        {
            if (Avx512BW.IsSupported)
                for (; done + 16 <= rows; done += 16)
                    DecodeSixteen(codes[(done * rowBytes)..], blockBytes, inputBlocks, table, strip[(4 * done)..]);
            if (Avx2.IsSupported)
                for (; done + 8 <= rows; done += 8)
                    DecodeEight(codes[(done * rowBytes)..], blockBytes, inputBlocks, table, strip[(4 * done)..]);
            if (CanZip)
                for (; done + 4 <= rows; done += 4)
                    DecodeFour(codes[(done * rowBytes)..], blockBytes, inputBlocks, table, strip[(4 * done)..]);
        }
        for (int row = done; row < rows; row++)
            DecodeRow<T>(codes[(row * rowBytes)..], blockBytes, inputBlocks, table, strip, row);
        DecodeScales(
            scales,
            inputBlocks,
            MemoryMarshal.Cast<byte, float>(strip[(inputBlocks * Rows * Int8Row.BlockValues)..])
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeSixteen(
        ReadOnlySpan<byte> codes,
        int blockBytes,
        int inputBlocks,
        Vector128<byte> table,
        Span<byte> strip
    )
    {
        nuint row = (nuint)(inputBlocks * blockBytes);
        ref readonly byte source = ref MemoryMarshal.GetReference(codes);
        ref byte to = ref MemoryMarshal.GetReference(strip);
        Vector512<byte> tables = Vector512.Create(Vector256.Create(table, table));
        for (int i = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks)
        {
            ref readonly byte at = ref Unsafe.Add(ref Unsafe.AsRef(in source), (nuint)(b * blockBytes));
            Turn(in at, row, out var d0, out var d1, out Vector512<long> d2, out var d3);
            StoreSteps(d0, tables, ref to, 0);
            StoreSteps(d1, tables, ref to, 2);
            StoreSteps(d2, tables, ref to, 4);
            StoreSteps(d3, tables, ref to, 6);
            to = ref Unsafe.Add(ref to, Rows * Int8Row.BlockValues);
        }
    }

    // Turns sixteen rows of four dwords: register d receives dword d of each row. The four 128-bit parts of register ri
    // hold the rows i, i + 4, i + 8 and i + 12. Interleaving dwords and then quadwords of the four registers leaves the
    // same dword of sixteen rows in order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(
        ref readonly byte at,
        nuint row,
        out Vector512<long> d0,
        out Vector512<long> d1,
        out Vector512<long> d2,
        out Vector512<long> d3
    )
    {
        Vector512<int> r0 = FourRows(in at, row),
            r1 = FourRows(in Unsafe.Add(ref Unsafe.AsRef(in at), row), row);
        Vector512<int> r2 = FourRows(in Unsafe.Add(ref Unsafe.AsRef(in at), 2 * row), row);
        Vector512<int> r3 = FourRows(in Unsafe.Add(ref Unsafe.AsRef(in at), 3 * row), row);
        Vector512<long> low01 = Avx512F.UnpackLow(r0, r1).AsInt64(),
            low23 = Avx512F.UnpackLow(r2, r3).AsInt64();
        Vector512<long> high01 = Avx512F.UnpackHigh(r0, r1).AsInt64(),
            high23 = Avx512F.UnpackHigh(r2, r3).AsInt64();
        d0 = Avx512F.UnpackLow(low01, low23);
        d1 = Avx512F.UnpackHigh(low01, low23);
        d2 = Avx512F.UnpackLow(high01, high23);
        d3 = Avx512F.UnpackHigh(high01, high23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> FourRows(ref readonly byte at, nuint row)
    {
        Vector512<int> rows = Vector128.LoadUnsafe(in at).AsInt32().ToVector256().ToVector512();
        rows = Avx512F.InsertVector128(rows, Vector128.LoadUnsafe(in at, 4 * row).AsInt32(), 1);
        rows = Avx512F.InsertVector128(rows, Vector128.LoadUnsafe(in at, 8 * row).AsInt32(), 2);
        rows = Avx512F.InsertVector128(rows, Vector128.LoadUnsafe(in at, 12 * row).AsInt32(), 3);
        return rows;
    }

    // A register holds one dword, eight codes, of sixteen weight rows. Its low nibbles make one step, and its high ones
    // the next: the codes of even index and of odd index, or in halves four of the first sixteen and four of the last.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSteps(Vector512<long> dwords, Vector512<byte> table, ref byte to, nuint step)
    {
        Vector512<byte> mask = Vector512.Create((byte)0xF);
        Avx512BW.Shuffle(table, dwords.AsByte() & mask).StoreUnsafe(ref to, step * Rows * 4);
        Avx512BW.Shuffle(table, (dwords.AsUInt16() >>> 4).AsByte() & mask).StoreUnsafe(ref to, (step + 1) * Rows * 4);
    }

    // The same for eight rows: register i holds the weight rows i and i + 4.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeEight(
        ReadOnlySpan<byte> codes,
        int blockBytes,
        int inputBlocks,
        Vector128<byte> table,
        Span<byte> strip
    )
    {
        nuint row = (nuint)(inputBlocks * blockBytes);
        ref readonly byte source = ref MemoryMarshal.GetReference(codes);
        ref byte to = ref MemoryMarshal.GetReference(strip);
        Vector256<byte> tables = Vector256.Create(table, table);
        for (int i = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks)
        {
            ref readonly byte at = ref Unsafe.Add(ref Unsafe.AsRef(in source), (nuint)(b * blockBytes));
            Vector256<int> r0 = TwoRows(in at, row),
                r1 = TwoRows(in Unsafe.Add(ref Unsafe.AsRef(in at), row), row);
            Vector256<int> r2 = TwoRows(in Unsafe.Add(ref Unsafe.AsRef(in at), 2 * row), row);
            Vector256<int> r3 = TwoRows(in Unsafe.Add(ref Unsafe.AsRef(in at), 3 * row), row);
            Vector256<long> low01 = Avx2.UnpackLow(r0, r1).AsInt64(),
                low23 = Avx2.UnpackLow(r2, r3).AsInt64();
            Vector256<long> high01 = Avx2.UnpackHigh(r0, r1).AsInt64(),
                high23 = Avx2.UnpackHigh(r2, r3).AsInt64();
            StoreSteps(Avx2.UnpackLow(low01, low23), tables, ref to, 0);
            StoreSteps(Avx2.UnpackHigh(low01, low23), tables, ref to, 2);
            StoreSteps(Avx2.UnpackLow(high01, high23), tables, ref to, 4);
            StoreSteps(Avx2.UnpackHigh(high01, high23), tables, ref to, 6);
            to = ref Unsafe.Add(ref to, Rows * Int8Row.BlockValues);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> TwoRows(ref readonly byte at, nuint row) =>
        Avx2.InsertVector128(Vector128.LoadUnsafe(in at).ToVector256(), Vector128.LoadUnsafe(in at, 4 * row), 1)
            .AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSteps(Vector256<long> dwords, Vector256<byte> table, ref byte to, nuint step)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Avx2.Shuffle(table, dwords.AsByte() & mask).StoreUnsafe(ref to, step * Rows * 4);
        Avx2.Shuffle(table, (dwords.AsUInt16() >>> 4).AsByte() & mask).StoreUnsafe(ref to, (step + 1) * Rows * 4);
    }

    // The same for four rows, each of them a register.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeFour(
        ReadOnlySpan<byte> codes,
        int blockBytes,
        int inputBlocks,
        Vector128<byte> table,
        Span<byte> strip
    )
    {
        nuint row = (nuint)(inputBlocks * blockBytes);
        ref readonly byte source = ref MemoryMarshal.GetReference(codes);
        ref byte to = ref MemoryMarshal.GetReference(strip);
        for (int i = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks)
        {
            ref readonly byte at = ref Unsafe.Add(ref Unsafe.AsRef(in source), (nuint)(b * blockBytes));
            Turn(in at, row, out var d0, out var d1, out Vector128<long> d2, out var d3);
            StoreSteps(d0, table, ref to, 0);
            StoreSteps(d1, table, ref to, 2);
            StoreSteps(d2, table, ref to, 4);
            StoreSteps(d3, table, ref to, 6);
            to = ref Unsafe.Add(ref to, Rows * Int8Row.BlockValues);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSteps(Vector128<long> dwords, Vector128<byte> table, ref byte to, nuint step)
    {
        Vector128<byte> low = dwords.AsByte() & Vector128.Create((byte)0xF),
            high = dwords.AsByte() >>> 4;
        Vector128.ShuffleNative(table, low).StoreUnsafe(ref to, step * Rows * 4);
        Vector128.ShuffleNative(table, high).StoreUnsafe(ref to, (step + 1) * Rows * 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeRow<T>(
        ReadOnlySpan<byte> codes,
        int blockBytes,
        int inputBlocks,
        Vector128<byte> table,
        Span<byte> strip,
        int row
    )
        where T : struct, IDots<T>
    {
        int place = 0;
        for (int i = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks, place++)
        {
            Vector128<byte> bits = Vector128.Create(codes.Slice(b * blockBytes, Mxfp4.BlockBytes));
            Vector128<byte> even = Vector128.ShuffleNative(table, bits & Vector128.Create((byte)0xF));
            Vector128<byte> odd = Vector128.ShuffleNative(table, bits >>> 4);
            Int8Panel.PutRow<T>(even, odd, strip, place, row);
        }
    }

    // A dword of a weight row's scale bytes has the scales of four blocks, and is turned as a dword of codes is.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeScales(ReadOnlySpan<byte> scales, int inputBlocks, Span<float> strip)
    {
        int rows = scales.Length / inputBlocks,
            done = 0;
        Span<int> at = stackalloc int[inputBlocks]; // index of a block's scales in the strip
        for (int i = 0, place = 0; i < Int8Row.LaneBlocks; i++)
        for (int b = Int8Row.FirstOfLane(i); b < inputBlocks; b += Int8Row.LaneBlocks, place++)
            at[b] = place * Rows;
        ref readonly byte source = ref MemoryMarshal.GetReference(scales);
        ref float to = ref MemoryMarshal.GetReference(strip);
        nuint stride = (nuint)inputBlocks;
        if (inputBlocks >= Int8Row.LaneBlocks && CanZip)
            for (int parts = Avx512BW.IsSupported ? 4 : 1; parts > 0; parts -= 3) // sixteen rows together, then four
            for (; done + 4 * parts <= rows; done += 4 * parts)
            for (int from = 0; from < inputBlocks; from += Int8Row.LaneBlocks)
            {
                // The last sixteen may overlap those before, and then write the same scales again.
                int block = Math.Min(from, inputBlocks - Int8Row.LaneBlocks);
                ref readonly int places = ref at[block];
                ref readonly byte first = ref Unsafe.Add(ref Unsafe.AsRef(in source), done * inputBlocks + block);
                ref float row = ref Unsafe.Add(ref to, done);
                if (parts == 4)
                    ScalesOfSixteen(in first, stride, in places, ref row);
                else
                    ScalesOfFour(in first, stride, in places, ref row);
            }
        for (int row = done; row < rows; row++)
        for (int b = 0; b < inputBlocks; b++)
            strip[at[b] + row] = Mxfp4.Scale(scales[row * inputBlocks + b]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScalesOfSixteen(ref readonly byte first, nuint stride, ref readonly int places, ref float to)
    {
        Turn(in first, stride, out var d0, out var d1, out Vector512<long> d2, out var d3);
        StoreScales(d0.AsUInt32(), ref to, in places, 0);
        StoreScales(d1.AsUInt32(), ref to, in places, 4);
        StoreScales(d2.AsUInt32(), ref to, in places, 8);
        StoreScales(d3.AsUInt32(), ref to, in places, 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreScales(Vector512<uint> bytes, ref float to, ref readonly int places, int block)
    {
        Exponents(bytes << 23).StoreUnsafe(ref to, At(in places, block));
        Exponents(bytes << 15).StoreUnsafe(ref to, At(in places, block + 1));
        Exponents(bytes << 7).StoreUnsafe(ref to, At(in places, block + 2));
        Exponents(bytes >>> 1).StoreUnsafe(ref to, At(in places, block + 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exponents(Vector512<uint> bits) =>
        Vector512.Max(bits & Vector512.Create(0x7F80_0000u), Vector512.Create(0x0040_0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScalesOfFour(ref readonly byte first, nuint stride, ref readonly int places, ref float to)
    {
        Turn(in first, stride, out var d0, out var d1, out Vector128<long> d2, out var d3);
        StoreScales(d0.AsUInt32(), ref to, in places, 0);
        StoreScales(d1.AsUInt32(), ref to, in places, 4);
        StoreScales(d2.AsUInt32(), ref to, in places, 8);
        StoreScales(d3.AsUInt32(), ref to, in places, 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreScales(Vector128<uint> bytes, ref float to, ref readonly int places, int block)
    {
        Exponents(bytes << 23).StoreUnsafe(ref to, At(in places, block));
        Exponents(bytes << 15).StoreUnsafe(ref to, At(in places, block + 1));
        Exponents(bytes << 7).StoreUnsafe(ref to, At(in places, block + 2));
        Exponents(bytes >>> 1).StoreUnsafe(ref to, At(in places, block + 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint At(ref readonly int places, int block) =>
        (nuint)(uint)Unsafe.Add(ref Unsafe.AsRef(in places), block);

    // A scale byte is the exponent of a float32. Byte 0 must give 2⁻¹²⁷, whose bits are 0x0040_0000; all other scales
    // are larger as integers, so the maximum corrects byte 0 alone.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Exponents(Vector128<uint> bits) =>
        Vector128.Max(bits & Vector128.Create(0x7F80_0000u), Vector128.Create(0x0040_0000u)).AsSingle();

    // Turns four rows of four dwords: register d receives dword d of each row.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(
        ref readonly byte at,
        nuint row,
        out Vector128<long> d0,
        out Vector128<long> d1,
        out Vector128<long> d2,
        out Vector128<long> d3
    )
    {
        Vector128<int> r0 = Vector128.LoadUnsafe(in at).AsInt32(),
            r1 = Vector128.LoadUnsafe(in at, row).AsInt32();
        Vector128<int> r2 = Vector128.LoadUnsafe(in at, 2 * row).AsInt32(),
            r3 = Vector128.LoadUnsafe(in at, 3 * row).AsInt32();
        Vector128<long> low01 = ZipLow(r0, r1).AsInt64(),
            low23 = ZipLow(r2, r3).AsInt64();
        Vector128<long> high01 = ZipHigh(r0, r1).AsInt64(),
            high23 = ZipHigh(r2, r3).AsInt64();
        d0 = ZipLow(low01, low23);
        d1 = ZipHigh(low01, low23);
        d2 = ZipLow(high01, high23);
        d3 = ZipHigh(high01, high23);
    }

    private static bool CanZip => Sse2.IsSupported || AdvSimd.Arm64.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> ZipLow(Vector128<int> a, Vector128<int> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> ZipHigh(Vector128<int> a, Vector128<int> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<long> ZipLow(Vector128<long> a, Vector128<long> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<long> ZipHigh(Vector128<long> a, Vector128<long> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);
}
