using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels.Formats;

public class Q8_0Tests
{
    [Fact]
    public void A_value_is_the_scale_times_the_signed_byte()
    {
        byte[] block = [0x00, 0x38, .. Enumerable.Range(0, 32).Select(i => (byte)(i - 16))]; // 0x3800 is 0.5

        for (int i = 0; i < 32; i++)
            Assert.Equal(0.5f * (i - 16), Q8_0.Value(block, i));
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 2, 3, 90 }, MemberType = typeof(Registers))]
    public void Widening_gives_every_value_of_the_definition(int width, int blocks)
    {
        using var row = new GuardedMemory<byte>(Sample.Q8_0(blocks, seed: blocks));
        float[] y = new float[32 * blocks],
            defined = [.. Enumerable.Range(0, y.Length).Select(i => Q8_0.Value(row.Span, i))];

        Registers.Run(width, new Load(row.Span, y));

        Sample.AssertSameBits(defined, y, $"{blocks} blocks");
        ByOutput<Q8_0>.Widen(row.Span, y);
        Sample.AssertSameBits(defined, y, $"{blocks} blocks, the widest registers");
    }

    [Theory]
    [InlineData(1)] // one block
    [InlineData(90)] // gpt-oss's hidden size: 2880 / 32
    public void A_product_agrees_with_a_float64_sum(int blocks)
    {
        const int outputs = 7,
            tokens = 6;
        int inputs = 32 * blocks;
        byte[] w = Sample.Q8_0(outputs * blocks, seed: 1);
        float[] x = Sample.Floats(tokens * inputs, seed: 2),
            y = new float[tokens * outputs];

        ByOutput<Q8_0>.Multiply(w, new Rows(x, inputs), new Rows(y, outputs), 0);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = 0,
                magnitude = 0;
            for (int k = 0; k < inputs; k++)
            {
                int at = (o * blocks + k / 32) * 34;
                double d = (double)BitConverter.ToHalf(w, at),
                    product = d * (sbyte)w[at + 2 + k % 32] * x[t * inputs + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // A lane rounds once for each of its elements, the tree four times: 2⁻²⁴ of what is there each time.
            double tolerance = (inputs / 16 + 4) * Math.ScaleB(1, -24) * magnitude;
            Sample.AssertClose(expected, y[t * outputs + o], tolerance, $"{blocks} blocks, token {t}, output {o}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 3, 90 }, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_definition_and_reads_nothing_else(int width, int blocks)
    {
        int inputs = 32 * blocks;
        for (int outputs = 1; outputs <= 6; outputs++)
            foreach (int tokens in (int[])[1, 5])
            {
                using var w = new GuardedMemory<byte>(Sample.Q8_0(outputs * blocks, seed: outputs));
                float[] x = Sample.Floats(tokens * inputs, seed: 2),
                    y = new float[tokens * outputs];

                Registers.Run(
                    width,
                    new ByOutput<Q8_0>.MultiplyByOutput(w.Span, outputs, new Rows(x, inputs), new Rows(y, outputs), 0)
                );

                for (int i = 0; i < y.Length; i++)
                {
                    ReadOnlySpan<byte> row = w.Span.Slice(i % outputs * blocks * 34, blocks * 34);
                    float defined = ByOutput<Q8_0>.DotScalar(row, x.AsSpan(i / outputs * inputs, inputs));
                    Sample.AssertSameBits([defined], [y[i]], $"{outputs} × {blocks} blocks, value {i}");
                }
            }
    }

    [Fact]
    public void The_same_values_in_float32_give_the_same_bits()
    {
        const int outputs = 9,
            tokens = 5,
            inputs = 96;
        byte[] w = Sample.Q8_0(outputs * inputs / 32, seed: 1);
        byte[] wide =
        [
            .. Enumerable.Range(0, outputs * inputs).SelectMany(i => BitConverter.GetBytes(Q8_0.Value(w, i))),
        ];
        float[] x = Sample.Floats(tokens * inputs, seed: 2),
            y = new float[tokens * outputs],
            z = new float[tokens * outputs];

        ByOutput<Q8_0>.Multiply(w, new Rows(x, inputs), new Rows(y, outputs), 0);
        ByOutput<Float32>.Multiply(wide, new Rows(x, inputs), new Rows(z, outputs), 0);

        Sample.AssertSameBits(z, y, $"{outputs} × {inputs}");
    }

    [Theory]
    [InlineData(16)]
    [InlineData(40)]
    public void A_row_that_is_no_whole_number_of_blocks_is_refused(int inputs) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            ByOutput<Q8_0>.Multiply(new byte[34], new Rows(new float[inputs], inputs), new Rows(new float[1], 1), 0)
        );

    [Fact]
    public void Widening_refuses_such_a_row_too() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ByOutput<Q8_0>.Widen(new byte[34], new float[48]));

    private readonly ref struct Load(ReadOnlySpan<byte> row, float[] y) : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _row = row;
        private readonly float[] _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (int i = 0; i < _y.Length; i += 16)
                T.Store(Q8_0.Load<T>(in _row[0], (nuint)i), ref _y[0], (nuint)i);
        }
    }
}
