using System.Runtime.InteropServices;
using System.Text.Json;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.Formats;

public sealed class Mxfp4PackingTests
{
    [Fact]
    public void The_stored_tensors_have_the_bytes_of_the_reference()
    {
        using JsonDocument vectors = JsonDocument.Parse(
            File.ReadAllBytes(
                Path.Combine(Repository.Root, "tests", "GptOss.Tests", "Kernels", "vectors", "mxfp4-vectors.json")
            )
        );
        int count = 0;
        foreach (JsonElement tensor in vectors.RootElement.GetProperty("tensors").EnumerateArray())
        {
            byte[] Bytes(string name) => Convert.FromHexString(tensor.GetProperty(name).GetString()!);
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(Bytes("float32_le"));
            byte[] blocks = new byte[values.Length / 2],
                scales = new byte[values.Length / 32];

            Mxfp4Packing.Pack(values, blocks, scales);

            Assert.Equal(Bytes("scales"), scales);
            Assert.Equal(Bytes("blocks"), blocks);
            count++;
        }
        Assert.Equal(20, count);
    }

    [Fact]
    public void Every_code_with_every_scale_keeps_its_value()
    {
        float[] values = new float[32],
            again = new float[32];
        byte[] blocks = new byte[16],
            scales = new byte[1];
        // The rule gives no scale below 2⁻¹²⁶ to what is not zero, and 6 · 2¹²⁶ is beyond float32.
        for (int scale = 1; scale <= 252; scale++)
        {
            for (int i = 0; i < 32; i++)
                values[i] = Mxfp4.Value(i % 16) * Mxfp4.Scale((byte)scale);
            Mxfp4Packing.Pack(values, blocks, scales);
            for (int i = 0; i < 32; i++)
                again[i] = Mxfp4.Value(blocks[i / 2] >> 4 * (i % 2) & 15) * Mxfp4.Scale(scales[0]);
            Assert.Equal(values, again);
        }
    }

    [Theory]
    [InlineData(nameof(WeightFormat.Mxfp4Halves))]
    [InlineData(nameof(WeightFormat.Mxfp4Pairs))]
    public unsafe void Codes_of_other_orders_are_copied_with_their_scales(string name)
    {
        WeightFormat format = Enum.Parse<WeightFormat>(name);
        const int outputs = 3,
            inputs = 96;
        byte[] data = new byte[outputs * 3 * 17];
        new Random(4).NextBytes(data);
        byte[] blocks = new byte[48],
            scales = new byte[3];
        float[] expected = new float[inputs],
            actual = new float[inputs];
        fixed (byte* first = data)
        {
            for (int block = 0; block < data.Length; block += 17)
                data[block] = (byte)(100 + data[block] % 50);
            var joined = new StoredWeights
            {
                Outputs = outputs,
                Inputs = inputs,
                Data = first,
            };
            for (int output = 0; output < outputs; output++)
            {
                format.Widen(in joined, output, expected);
                Mxfp4Packing.Copy(format, in joined, output, blocks, scales);
                fixed (byte* codes = blocks)
                fixed (byte* bytes = scales)
                {
                    var apart = new StoredWeights
                    {
                        Outputs = 1,
                        Inputs = inputs,
                        Data = codes,
                        Scales = bytes,
                    };
                    WeightFormat.Mxfp4.Widen(in apart, 0, actual);
                }
                Sample.AssertSameBits(expected, actual, $"output {output}");
            }
        }
    }
}
