using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// Keys or values of 64 positions as signed bytes with one float32 scale per position: <c>x ≈ q · scale</c>.
/// </summary>
/// <remarks>
/// scale = max |x| / 127 over the position's headDim values, q = x / scale rounded to nearest, ties to even, within
/// ±127. Where a value is not finite the scale is not either, and then the whole position reads as NaN: nothing is
/// hidden. Reading back is one multiplication per value.
/// </remarks>
internal static class Int8Page
{
    private const int Positions = PageAttention.Positions,
        Most = 127;

    /// <summary>Rounds the values of one position.</summary>
    /// <param name="x">[headDim].</param>
    /// <param name="q">[headDim].</param>
    /// <returns>The scale.</returns>
    public static float Quantize(ReadOnlySpan<float> x, Span<sbyte> q)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(q.Length, x.Length);
        float scale = MathF.Abs(TensorPrimitives.MaxMagnitude(x)) / Most;
        if (scale == 0) // all zero, or so small that the scale is
        {
            q.Clear();
            return 0;
        }
        for (int i = 0; i < x.Length; i++)
            q[i] = (sbyte)Math.Clamp(MathF.Round(x[i] / scale), -Most, Most);
        return scale;
    }

    /// <summary>Reads a tile of keys back as floats.</summary>
    /// <param name="keys">[headDim, 64].</param>
    /// <param name="scales">[64].</param>
    /// <param name="result">[headDim, 64].</param>
    public static void WidenKeys(ReadOnlySpan<sbyte> keys, ReadOnlySpan<float> scales, Span<float> result)
    {
        Check(keys, scales, result);
        Lanes.Run(new WidenKeyPage(keys, scales, result));
    }

    /// <summary>Reads a tile of values back as floats.</summary>
    /// <param name="values">[64, headDim].</param>
    /// <param name="scales">[64].</param>
    /// <param name="result">[64, headDim].</param>
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

    internal readonly ref struct WidenValuePage(ReadOnlySpan<sbyte> values, ReadOnlySpan<float> scales, Span<float> result)
        : ILaneKernel
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
