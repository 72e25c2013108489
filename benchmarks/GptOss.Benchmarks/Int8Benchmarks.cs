using BenchmarkDotNet.Attributes;
using GptOss.Cli.Bench;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Benchmarks;

/// <summary>
/// A dense projection of the precision fast: int8 panels, 34 bytes for 32 values, times int8 activations.
/// </summary>
[MemoryDiagnoser, ValueBytes(34 / 32.0)]
public unsafe class Int8Benchmarks
{
    private Weights<byte> _panels = null!;
    private Weights<float> _x = null!;
    private Weights<float> _y = null!;

    [Params(2880)]
    public int Inputs { get; set; }

    /// <summary>256 weight rows stay in the second-level cache; 65536 are a third of the head, 201 MB.</summary>
    [Params(256, 65536)]
    public int Outputs { get; set; }

    [Params(1, 32)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        // Bit 5 of each byte is set, so that every scale is a normal number.
        _panels = new((int)Int8.Bytes(Outputs, Inputs), random => (byte)(0x20 | random & 0x1F));
        int width = Int8Row.Width(Inputs);
        _x = new(width * Tokens, _ => 0);
        float[] activations = [.. Enumerable.Range(0, Inputs).Select(i => MathF.Sin(i))];
        for (int t = 0; t < Tokens; t++)
            Int8.Permute(activations, new Span<float>(_x.Pointer + t * width, width), Tokens);
        _y = new(Outputs * Tokens, _ => 0);
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(_panels.Span);

    [Benchmark]
    public void Multiply() => Int8.Multiply(_panels.Span, Inputs, _x.Rows(Int8Row.Width(Inputs)), _y.Rows(Outputs), 0);
}
