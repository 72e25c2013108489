using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels.Formats;

/// <summary>Twice the values of MXFP4's codes: integers of at most 12 in magnitude, which a byte holds.</summary>
internal static class Mxfp4Doubled
{
    /// <summary>Added to 2w, because the 8-bit instructions of x86 want one factor without a sign.</summary>
    public const int Offset = 12;

    /// <summary>Twice the value of each code, for lookup by a byte shuffle.</summary>
    public static Vector128<sbyte> SignedTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((sbyte)0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
    }

    /// <summary>Twice the value of each code plus <see cref="Offset"/>, for lookup by a byte shuffle.</summary>
    public static Vector128<byte> OffsetTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
    }

    private static ReadOnlySpan<sbyte> TwiceTable => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>Twice the value of a code, 0 to 15.</summary>
    public static int Twice(int code) => TwiceTable[code];
}
