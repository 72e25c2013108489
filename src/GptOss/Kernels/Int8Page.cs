using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// The 8-bit form of a page: the keys or values of one head at 64 positions, stored as signed bytes with one float32
/// scale for each position, so that <c>x ≈ q · scale</c>. This class rounds a position when it is stored and widens a
/// whole page back to floats before attention reads it.
/// </summary>
/// <remarks>
/// scale = max |x| / 127 over the headDim values of the position, and q = x / scale, rounded to nearest, ties to even,
/// within ±127. For example, a largest magnitude of 254 gives scale 2, and x = 3 is stored as q = 2 (1.5 is a tie).
/// Where a value is not finite, the scale is not finite either, and the whole position reads as NaN: damage is not
/// hidden.
/// </remarks>
// Bound: Check compares the three lengths; a page has 64 positions, and values past the last sixteen are read one by
// one.
internal static class Int8Page
{
    private const int Positions = PageAttention.Positions,
        Most = 127;

    /// <summary>Rounds the key or value of one position to bytes.</summary>
    /// <param name="x">Values to round, [headDim].</param>
    /// <param name="q">Receives the bytes, [headDim].</param>
    /// <returns>The scale of the position.</returns>
    public static float Quantize(ReadOnlySpan<float> x, Span<sbyte> q)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(q.Length, x.Length);
        float scale = MathF.Abs(TensorPrimitives.MaxMagnitude(x)) / Most;
        if (scale == 0) // all values are zero, or so small that the division by 127 gives zero
        {
            q.Clear();
            return 0;
        }
        for (int i = 0; i < x.Length; i++)
            q[i] = (sbyte)Math.Clamp(MathF.Round(x[i] / scale), -Most, Most);
        return scale;
    }

    /// <summary>Widens a page of keys to floats.</summary>
    /// <param name="keys">Bytes of the keys, [headDim, 64].</param>
    /// <param name="scales">Scale of each position, [64].</param>
    /// <param name="result">Receives the keys, [headDim, 64].</param>
    public static void WidenKeys(ReadOnlySpan<sbyte> keys, ReadOnlySpan<float> scales, Span<float> result)
    {
        Check(keys, scales, result);
        Lanes.Run(new WidenKeyPage(keys, scales, result));
    }

    /// <summary>Widens a page of values to floats.</summary>
    /// <param name="values">Bytes of the values, [64, headDim].</param>
    /// <param name="scales">Scale of each position, [64].</param>
    /// <param name="result">Receives the values, [64, headDim].</param>
    public static void WidenValues(ReadOnlySpan<sbyte> values, ReadOnlySpan<float> scales, Span<float> result)
    {
        Check(values, scales, result);
        Lanes.Run(new WidenValuePage(values, scales, result));
    }

    private static void Check(ReadOnlySpan<sbyte> bytes, ReadOnlySpan<float> scales, Span<float> result)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scales.Length, Positions);
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length % Positions, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(result.Length, bytes.Length);
    }

    /// <summary>
    /// Multiplies each byte of a page of keys, [headDim, 64], by the scale of its position: neighbouring bytes belong
    /// to neighbouring positions, so sixteen scales meet sixteen bytes.
    /// </summary>
    internal readonly ref struct WidenKeyPage(ReadOnlySpan<sbyte> keys, ReadOnlySpan<float> scales, Span<float> result)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<sbyte> _keys = keys;
        private readonly ReadOnlySpan<float> _scales = scales;
        private readonly Span<float> _result = result;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            ref readonly sbyte q = ref MemoryMarshal.GetReference(_keys);
            ref float y = ref MemoryMarshal.GetReference(_result);
            for (nuint position = 0; position < Positions; position += Lanes.Count)
            {
                T scale = T.Load(in MemoryMarshal.GetReference(_scales), position);
                for (nuint at = position; at < (nuint)_keys.Length; at += Positions)
                    T.Store(T.LoadSByte(in q, at) * scale, ref y, at);
            }
        }
    }

    /// <summary>
    /// Multiplies each byte of a page of values, [64, headDim], by the scale of its position: the headDim bytes of a
    /// position share one scale.
    /// </summary>
    internal readonly ref struct WidenValuePage(
        ReadOnlySpan<sbyte> values,
        ReadOnlySpan<float> scales,
        Span<float> result
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<sbyte> _values = values;
        private readonly ReadOnlySpan<float> _scales = scales;
        private readonly Span<float> _result = result;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            ref readonly sbyte q = ref MemoryMarshal.GetReference(_values);
            ref float y = ref MemoryMarshal.GetReference(_result);
            nuint headDim = (nuint)(_values.Length / Positions),
                full = headDim & ~(nuint)(Lanes.Count - 1);
            for (nuint j = 0; j < Positions; j++)
            {
                nuint row = j * headDim;
                T scale = T.Create(_scales[(int)j]);
                for (nuint i = 0; i < full; i += Lanes.Count)
                    T.Store(T.LoadSByte(in q, row + i) * scale, ref y, row + i);
                for (nuint i = full; i < headDim; i++)
                    _result[(int)(row + i)] = _values[(int)(row + i)] * _scales[(int)j];
            }
        }
    }
}
