using System.Buffers.Binary;

namespace GptOss.Tests.Oracles;

/// <summary>A tensor to be written: its safetensors type, its shape, its bytes.</summary>
internal sealed record TinyTensor(string DType, int[] Shape, byte[] Data)
{
    public static TinyTensor BFloat16(double[] values, params int[] shape)
    {
        byte[] data = new byte[2 * values.Length];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * i), Round(values[i]));
        return new TinyTensor("BF16", shape, data);
    }

    /// <summary>The values, of any of the three plain types.</summary>
    public float[] Values =>
        DType switch
        {
            "BF16" => Read(2, at => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(at) << 16)),
            "F16" => Read(2, at => (float)BinaryPrimitives.ReadHalfLittleEndian(at)),
            "F32" => Read(4, at => BinaryPrimitives.ReadSingleLittleEndian(at)),
            _ => throw new NotSupportedException(DType),
        };

    /// <summary>The values in another of the plain types, rounded to nearest where that has fewer digits.</summary>
    public TinyTensor As(string dtype) => Of(dtype, Values, Shape);

    public static TinyTensor Of(string dtype, float[] values, params int[] shape) =>
        dtype switch
        {
            "BF16" => BFloat16(Array.ConvertAll(values, value => (double)value), shape),
            "F16" => new TinyTensor(dtype, shape, [.. values.SelectMany(value => BitConverter.GetBytes((Half)value))]),
            "F32" => new TinyTensor(dtype, shape, [.. values.SelectMany(BitConverter.GetBytes)]),
            _ => throw new NotSupportedException(dtype),
        };

    /// <summary>One of the first dimension, without that.</summary>
    public TinyTensor Member(int index) => Rows(index, index + 1) with { Shape = Shape[1..] };

    /// <summary>[rows, …] to every second row from the given one on.</summary>
    public TinyTensor EverySecond(int from)
    {
        int rowBytes = Data.Length / Shape[0];
        return new TinyTensor(
            DType,
            [Shape[0] / 2, .. Shape[1..]],
            [
                .. Enumerable
                    .Range(0, Shape[0] / 2)
                    .SelectMany(row => Data[((2 * row + from) * rowBytes)..((2 * row + from + 1) * rowBytes)]),
            ]
        );
    }

    /// <summary>[outputs, inputs] to [inputs, outputs].</summary>
    public TinyTensor Turned() => (this with { Shape = [1, .. Shape] }).SwapLastTwo().Member(0);

    private float[] Read(int width, Func<ReadOnlySpan<byte>, float> read)
    {
        float[] values = new float[Data.Length / width];
        for (int i = 0; i < values.Length; i++)
            values[i] = read(Data.AsSpan(i * width, width));
        return values;
    }

    /// <summary>Rows [from, to) of the first dimension.</summary>
    public TinyTensor Rows(int from, int to)
    {
        int rowBytes = Data.Length / Shape[0];
        return new TinyTensor(DType, [to - from, .. Shape[1..]], Data[(from * rowBytes)..(to * rowBytes)]);
    }

    /// <summary>
    /// [experts, outputs, inputs] to [experts, inputs, outputs], the order of unquantized experts in the Hugging Face
    /// layout.
    /// </summary>
    public TinyTensor SwapLastTwo()
    {
        int outputs = Shape[1],
            inputs = Shape[2];
        byte[] data = new byte[Data.Length];
        for (int value = 0; value < data.Length / 2; value++)
        {
            int input = value % inputs,
                output = value / inputs % outputs,
                expert = value / inputs / outputs;
            Data.AsSpan(2 * value, 2).CopyTo(data.AsSpan(2 * ((((expert * inputs) + input) * outputs) + output)));
        }

        return new TinyTensor(DType, [Shape[0], inputs, outputs], data);
    }

    /// <summary>The nearest bfloat16, ties to even: the upper half of the float's bits.</summary>
    private static ushort Round(double value)
    {
        uint bits = BitConverter.SingleToUInt32Bits((float)value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
