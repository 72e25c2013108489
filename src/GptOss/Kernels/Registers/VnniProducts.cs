using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Products of bytes on processors with VNNI: four a step, summed in 32 bits by one instruction, for weights of any
/// eight bits.
/// </summary>
/// <remarks>
/// .NET 10 knows the instruction as AVX-VNNI only, at 256 bits. .NET 11 knows it on processors with AVX512-VNNI too
/// (Ice Lake and later servers, Zen 4 and later), and at 512 bits.
/// </remarks>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct VnniProducts : IProducts<Vector256<int>>
#if NET11_0_OR_GREATER
        , IProducts<Vector512<int>>
#endif
{
    /// <summary>
    /// Whether 256 bits of it may be used. Where a process uses AVX-512, but only its older sets, the compilers of .NET
    /// 10 and 11 have 32 registers and a form of the instruction that knows sixteen of them: wrong sums were seen with
    /// <c>DOTNET_EnableAVX512v3=0</c>.
    /// </summary>
    public static bool IsSupported => AvxVnni.IsSupported && (!Avx512F.IsSupported || Avx512Vbmi2.IsSupported);

    public static int Steps => 8;
    public static bool IsUnsigned => true;

    public static int Start(int offset, (int First, int Second) pairs) => -offset * (pairs.First + pairs.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> IProducts<Vector256<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Vector256.LoadUnsafe(in source, offset).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddDots(Vector256<int> sums, Vector256<int> weights, Vector256<int> activations) =>
        AvxVnni.MultiplyWideningAndAdd(sums, weights.AsByte(), activations.AsSByte());

    public static Vector256<int> Total(Vector256<int> sums) => sums;

#if NET11_0_OR_GREATER
    /// <summary>Whether 512 bits of it may be used.</summary>
    public static bool IsWideSupported => Vector512.IsHardwareAccelerated && AvxVnni.V512.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> IProducts<Vector512<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Vector512.LoadUnsafe(in source, offset).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddDots(Vector512<int> sums, Vector512<int> weights, Vector512<int> activations) =>
        AvxVnni.V512.MultiplyWideningAndAdd(sums, weights.AsByte(), activations.AsSByte());

    public static Vector512<int> Total(Vector512<int> sums) => sums;
#endif
}
