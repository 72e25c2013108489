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

    /// <summary>Rows [from, to) of the first dimension.</summary>
    public TinyTensor Rows(int from, int to)
    {
        int rowBytes = Data.Length / Shape[0];
        return new TinyTensor(DType, [to - from, .. Shape[1..]], Data[(from * rowBytes)..(to * rowBytes)]);
    }

    /// <summary>
    /// [experts, out, in] to [experts, in, out], the order of unquantized experts in the Hugging Face layout.
    /// </summary>
    public TinyTensor SwapLastTwo()
    {
        int rows = Shape[1], columns = Shape[2];
        byte[] data = new byte[Data.Length];
        for (int value = 0; value < data.Length / 2; value++)
        {
            int column = value % columns, row = value / columns % rows, expert = value / columns / rows;
            Data.AsSpan(2 * value, 2).CopyTo(data.AsSpan(2 * ((((expert * columns) + column) * rows) + row)));
        }

        return new TinyTensor(DType, [Shape[0], columns, rows], data);
    }

    /// <summary>The nearest bfloat16, ties to even: the upper half of the float's bits.</summary>
    private static ushort Round(double value)
    {
        uint bits = BitConverter.SingleToUInt32Bits((float)value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
