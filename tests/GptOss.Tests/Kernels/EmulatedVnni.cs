using System.Runtime.Intrinsics;
using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

/// <summary>
/// <see cref="DotsVnni"/> but for its one instruction, which is spelled out: so layout, offset and start are tried on
/// processors that lack it.
/// </summary>
/// <remarks>
/// Source of the instruction: Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPBUSD.
/// </remarks>
internal readonly struct EmulatedVnni(DotsVnni value, Vector256<int> bits) : IDots<EmulatedVnni>
{
    private readonly DotsVnni _value = value;
    private readonly Vector256<int> _bits = bits;

    public static int Rows => DotsVnni.Rows;
    public static int Steps => DotsVnni.Steps;

    public static int Offset(int offset) => DotsVnni.Offset(offset);

    public static int Start(int offset, (int First, int Second) pairs) => DotsVnni.Start(offset, pairs);

    public static EmulatedVnni LoadWeights(ref readonly byte source, nuint offset) =>
        Of(DotsVnni.LoadWeights(in source, offset));

    public static EmulatedVnni Broadcast(ref readonly byte source, nuint offset) =>
        Of(DotsVnni.Broadcast(in source, offset));

    public static EmulatedVnni AddDots(EmulatedVnni sums, EmulatedVnni weights, EmulatedVnni activations)
    {
        Vector256<int> result = sums._bits;
        for (int lane = 0; lane < Rows; lane++)
        {
            int sum = result[lane];
            for (int i = 4 * lane; i < 4 * lane + 4; i++)
                sum += weights._bits.AsByte()[i] * activations._bits.AsSByte()[i];
            result = result.WithElement(lane, sum);
        }
        return Of(new DotsVnni(result));
    }

    public static EmulatedVnni ToSingle(EmulatedVnni sums) => Of(DotsVnni.ToSingle(sums._value));

    public static EmulatedVnni Zero => Of(DotsVnni.Zero);

    public static EmulatedVnni Load(ref readonly float source, nuint index) => Of(DotsVnni.Load(in source, index));

    public static void Store(EmulatedVnni value, ref float destination, nuint index) =>
        DotsVnni.Store(value._value, ref destination, index);

    public static EmulatedVnni BroadcastSingle(ref readonly byte source, nuint offset) =>
        Of(DotsVnni.BroadcastSingle(in source, offset));

    public static EmulatedVnni LoadBFloat16(ref readonly byte source, nuint offset) =>
        Of(DotsVnni.LoadBFloat16(in source, offset));

    public static EmulatedVnni operator *(EmulatedVnni a, EmulatedVnni b) => Of(a._value * b._value);

    public static EmulatedVnni operator +(EmulatedVnni a, EmulatedVnni b) => Of(a._value + b._value);

    public static EmulatedVnni MultiplyAdd(EmulatedVnni a, EmulatedVnni b, EmulatedVnni addend) =>
        Of(DotsVnni.MultiplyAdd(a._value, b._value, addend._value));

    private static EmulatedVnni Of(DotsVnni value)
    {
        Span<float> bits = stackalloc float[Rows];
        DotsVnni.Store(value, ref bits[0], 0);
        return new EmulatedVnni(value, Vector256.Create<float>(bits).AsInt32());
    }
}
