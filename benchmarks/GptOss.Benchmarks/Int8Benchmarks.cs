using BenchmarkDotNet.Attributes;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>
/// A dense projection of the precision fast: int8 panels, 34 bytes for 32 values, times int8 activations.
/// </summary>
[MemoryDiagnoser, RowBytes(34 / 32.0)]
public unsafe class Int8Benchmarks
{
    private Weights<byte> _panels = null!;
    private Weights<float> _x = null!;
    private Weights<float> _y = null!;
    private Weights<float> _scratch = null!;

    [Params(2880)]
    public int Values { get; set; }

    /// <summary>256 rows stay in the second-level cache; 65536 are a third of the head, 201 MB.</summary>
    [Params(256, 65536)]
    public int Rows { get; set; }

    [Params(1, 32)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _panels = new((int)Int8.Bytes(Rows, Values), random => (byte)(0x20 | random & 0x1F)); // scales: normal numbers
        int width = Int8Row.Width(Values);
        _x = new(width * Tokens, _ => 0);
        float[] row = [.. Enumerable.Range(0, Values).Select(i => MathF.Sin(i))];
        for (int t = 0; t < Tokens; t++)
            Int8.Quantize(row, new Span<float>(_x.Pointer + t * width, width));
        _y = new(Rows * Tokens, _ => 0);
        _scratch = new(Tokens * Int8Panel.Rows, _ => 0);
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(_panels.Span);

    [Benchmark]
    public void Multiply() =>
        Int8.Multiply(
            _panels.Span,
            Values,
            [],
            _x.Rows(Int8Row.Width(Values)),
            _y.Rows(Rows),
            0,
            _scratch.Rows(Int8Panel.Rows)
        );
}
