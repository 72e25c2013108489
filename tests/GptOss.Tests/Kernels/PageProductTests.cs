using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class PageProductTests
{
    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 8, 16, 64, 72, 80, 128, 130 }, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_definition(int width, int results)
    {
        float[] next = Sample.Floats(4096, seed: 9);
        foreach (int queries in (int[])[1, 3, 4, 5, 8])
        foreach ((int from, int to) in ((int, int)[])[(0, 64), (0, 1), (63, 64), (5, 38)])
        {
            float[] a = Sample.Floats(queries * 64, seed: 1),
                b = Sample.Floats(64 * results, seed: 2);
            float[] expected = Sample.Floats(queries * results, seed: 3),
                y = [.. expected];
            PageProduct.AddScalar(new Rows(a, 64), b, new Rows(expected, results), from, to);
            using var guarded = new GuardedMemory<float>(b);

            Registers.Run(
                width,
                new PageProduct.AddProduct(
                    new Rows(a, 64),
                    guarded.Span,
                    new Rows(y, results),
                    from,
                    to,
                    MemoryMarshal.AsBytes(next.AsSpan())
                )
            );

            Sample.AssertSameBits(expected, y, $"{queries} × {results}, {from} to {to}");
        }
    }

    [Fact]
    public void Without_anything_to_fetch_the_result_is_the_same()
    {
        float[] a = Sample.Floats(8 * 64, seed: 1),
            b = Sample.Floats(64 * 64, seed: 2),
            expected = new float[8 * 64],
            y = new float[8 * 64];
        PageProduct.AddScalar(new Rows(a, 64), b, new Rows(expected, 64), 0, 64);
        PageProduct.Add(new Rows(a, 64), b, new Rows(y, 64), 0, 64, []);
        Sample.AssertSameBits(expected, y, "8 queries × 64");
    }

    [Fact]
    public void An_empty_sum_adds_nothing()
    {
        float[] y = [1, 2, 3];
        PageProduct.Add(new Rows(new float[4], 4), new float[12], new Rows(y, 3), 2, 2, []);
        Assert.Equal([1, 2, 3], y);
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Add();
        Assert.Throws<ArgumentOutOfRangeException>(() => Add(a: 12));
        Assert.Throws<ArgumentOutOfRangeException>(() => Add(b: 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => Add(to: 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Add(from: -1));

        static void Add(int a = 8, int b = 12, int from = 0, int to = 4) =>
            PageProduct.Add(new Rows(new float[a], 4), new float[b], new Rows(new float[6], 3), from, to, []);
    }
}
