using System.Runtime.CompilerServices;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Integer dot products of one weight row without vector instructions: four products a step, signed bytes.
/// </summary>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct Dots1(int value) : IDots<Dots1>
{
    private readonly int _value = value;

    public static int Rows => 1;
    public static int Steps => 8;

    public static bool IsUnsigned => false;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    public static Dots1 LoadWeights(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    public static Dots1 Broadcast(ref readonly byte source, nuint offset) =>
        new(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset)));

    public static Dots1 AddDots(Dots1 sums, Dots1 weights, Dots1 activations)
    {
        int sum = sums._value;
        for (int i = 0; i < 32; i += 8)
            sum += (sbyte)(weights._value >> i) * (sbyte)(activations._value >> i);
        return new(sum);
    }

    public static Dots1 ToSingle(Dots1 sums) => Of(sums._value);

    public static Dots1 Zero => default;

    public static Dots1 Load(ref readonly float source, nuint index) =>
        Of(Unsafe.Add(ref Unsafe.AsRef(in source), index));

    public static void Store(Dots1 value, ref float destination, nuint index) =>
        Unsafe.Add(ref destination, index) = BitConverter.Int32BitsToSingle(value._value);

    public static Dots1 BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    public static Dots1 LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Unsafe.ReadUnaligned<ushort>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset)) << 16);

    public static Dots1 operator *(Dots1 a, Dots1 b) => Of(a.Single * b.Single);

    public static Dots1 operator +(Dots1 a, Dots1 b) => Of(a.Single + b.Single);

    public static Dots1 MultiplyAdd(Dots1 a, Dots1 b, Dots1 addend) =>
        Of(MathF.FusedMultiplyAdd(a.Single, b.Single, addend.Single));

    private float Single => BitConverter.Int32BitsToSingle(_value);

    private static Dots1 Of(float value) => new(BitConverter.SingleToInt32Bits(value));
}
