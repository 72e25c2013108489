using BenchmarkDotNet.Attributes;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>An expert projection of the precision fast: MXFP4 rows as stored, 17 bytes for 32 values, times int8 activations.</summary>
[MemoryDiagnoser, RowBytes(17 / 32.0)]
public unsafe class Mxfp4Int8Benchmarks
{
    private Weights<byte> _blocks = null!;
    private Weights<byte> _scales = null!;
    private ushort[] _bias = null!;
    private Weights<float> _x = null!;
    private Weights<float> _y = null!;
    private Weights<float> _scratch = null!;

    /// <summary>2880 is gpt-oss's hidden size: the row length of every expert projection.</summary>
    [Params(2880)] public int Values { get; set; }

    /// <summary>256 rows stay in the second-level cache; 184320 are gate and up of a layer of 32 experts, 282 MB.</summary>
    [Params(256, 184320)] public int Rows { get; set; }

    /// <summary>One is decode, 32 what an expert gets of a chunk of prefill.</summary>
    [Params(1, 32)] public int Tokens { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _blocks = new(Values / 2 * Rows, random => (byte)random);
        _scales = new(Values / 32 * Rows, random => (byte)(119 + random % 8));
        _bias = new ushort[Rows];
        int width = Int8Row.Width(Values);
        _x = new(width * Tokens, _ => 0);
        float[] row = [.. Enumerable.Range(0, Values).Select(i => MathF.Sin(i))];
        for (int t = 0; t < Tokens; t++) Mxfp4Int8.Arrange(row, new Span<float>(_x.Pointer + t * width, width), Tokens);
        _y = new(Rows * Tokens, _ => 0);
        _scratch = new(Mxfp4Int8.ScratchValues(Values, Tokens), _ => 0);
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() =>
        MemoryRead.Fold(_blocks.Span) + MemoryRead.Fold(_scales.Span);

    [Benchmark]
    public void Multiply() => Mxfp4Int8.Multiply(
        _blocks.Span, _scales.Span, _bias, _x.Rows(Int8Row.Width(Values)), _y.Rows(Rows), 0, _scratch.Writable);
}
