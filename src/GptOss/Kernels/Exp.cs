using System.Runtime.CompilerServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// The exponential function eˣ of float32, for one value and for sixteen lanes. Both forms use the same operations in
/// the same order, so the result has the same bits at every register width and on every machine.
/// </summary>
/// <remarks>
/// eˣ = 2ⁿ · eʳ with n = round(x / ln 2), r = x − n ln 2 in two parts, and a polynomial of degree 6 for eʳ
/// (coefficients of Cephes' expf). The relative error is below 2·10⁻⁷ (ExpTests). For x below −87.336, where eˣ would
/// be subnormal, the result is 0; for x above 88.376 it is infinity; NaN stays NaN.
/// </remarks>
internal static class Exp
{
    private const float Lowest = -87.336f,
        Highest = 88.376f,
        Shift = 12582912f;
    private const float Log2E = 1.44269504f,
        Ln2High = 0.693359375f,
        Ln2Low = -2.12194440e-4f;
    private const float C2 = 5.0000001201e-1f,
        C3 = 1.6666665459e-1f,
        C4 = 4.1665795894e-2f;
    private const float C5 = 8.3334519073e-3f,
        C6 = 1.3981999507e-3f,
        C7 = 1.9875691500e-4f;

    /// <summary>The exponentials of sixteen lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T x)
        where T : struct, ILanes<T>
    {
        T shifted = T.MultiplyAdd(x, T.Create(Log2E), T.Create(Shift));
        T n = shifted - T.Create(Shift);
        T r = T.MultiplyAdd(n, T.Create(-Ln2High), x);
        r = T.MultiplyAdd(n, T.Create(-Ln2Low), r);
        T y = T.MultiplyAdd(T.Create(C7), r, T.Create(C6));
        y = T.MultiplyAdd(y, r, T.Create(C5));
        y = T.MultiplyAdd(y, r, T.Create(C4));
        y = T.MultiplyAdd(y, r, T.Create(C3));
        y = T.MultiplyAdd(y, r, T.Create(C2));
        y = T.MultiplyAdd(y, r * r, r) + T.Create(1f);
        y *= T.PowerOfTwo(shifted);
        y = T.WhereLess(T.Create(Highest), x, T.Create(float.PositiveInfinity), y);
        return T.WhereLess(x, T.Create(Lowest), T.Zero, y);
    }

    /// <summary>The exponential of one value, and the definition of the lanes' result.</summary>
    public static float Of(float x)
    {
        if (x < Lowest)
            return 0;
        if (Highest < x)
            return float.PositiveInfinity;
        float shifted = MathF.FusedMultiplyAdd(x, Log2E, Shift);
        float n = shifted - Shift;
        float r = MathF.FusedMultiplyAdd(n, -Ln2High, x);
        r = MathF.FusedMultiplyAdd(n, -Ln2Low, r);
        float y = MathF.FusedMultiplyAdd(C7, r, C6);
        y = MathF.FusedMultiplyAdd(y, r, C5);
        y = MathF.FusedMultiplyAdd(y, r, C4);
        y = MathF.FusedMultiplyAdd(y, r, C3);
        y = MathF.FusedMultiplyAdd(y, r, C2);
        y = MathF.FusedMultiplyAdd(y, r * r, r) + 1f;
        uint power = (BitConverter.SingleToUInt32Bits(shifted) << 23) + 0x3F80_0000u;
        return y * BitConverter.UInt32BitsToSingle(power);
    }
}
