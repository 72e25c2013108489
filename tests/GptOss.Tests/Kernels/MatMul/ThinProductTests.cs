using System.Runtime.InteropServices;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.MatMul;

public sealed class ThinProductTests
{
    [Theory]
    [InlineData(1, 1)] // a tail alone
    [InlineData(2, 40)] // whole registers and a tail
    [InlineData(64, 33)]
    public void A_product_agrees_with_a_float64_sum(int rank, int outputs)
    {
        const int tokens = 5; // a group of four and one
        float[] w = Sample.Floats(rank * outputs, seed: rank),
            u = Sample.Floats(tokens * rank, seed: 2),
            y = Sample.Floats(tokens * outputs, seed: 3),
            before = [.. y];
        Add(w, rank, outputs, u, 0, outputs, y);
        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = before[t * outputs + o],
                magnitude = Math.Abs(expected);
            for (int k = 0; k < rank; k++)
            {
                double product = (double)w[k * outputs + o] * u[t * rank + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // The chain rounds once for each of the rank, and once when it is added.
            Sample.AssertClose(
                expected,
                y[t * outputs + o],
                (rank + 1) * Math.ScaleB(1, -24) * magnitude,
                $"token {t}, output {o}"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 21, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_definition_whatever_range_and_tokens(int width, int rank)
    {
        foreach (int outputs in (int[])[1, 16, 49])
        foreach (int tokens in (int[])[1, 4, 6])
        {
            ushort[] w = Sample.BFloat16s(rank * outputs, seed: rank);
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(w.AsSpan());
            float[] u = Sample.Floats(tokens * rank, seed: 2),
                y = Sample.Floats(tokens * outputs, seed: 3),
                expected = [.. y];
            int first = outputs / 3;
            for (int t = 0; t < tokens; t++)
            for (int o = first; o < outputs; o++)
                expected[t * outputs + o] += ThinProduct<BFloat16>.SumScalar(
                    bytes,
                    outputs,
                    u.AsSpan(t * rank, rank),
                    o
                );

            Registers.Run(
                width,
                new ThinProduct<BFloat16>(bytes, new(u, rank), first, outputs - first, new(y, outputs))
            );

            Sample.AssertSameBits(expected, y, $"{outputs} outputs, {tokens} tokens");
        }
    }

    private static unsafe void Add(float[] w, int rank, int outputs, float[] u, int first, int count, float[] y)
    {
        fixed (float* weights = w)
            WeightFormat.Float32.AddThin((byte*)weights, new(u, rank), first, count, new(y, outputs));
    }
}
