using BenchmarkDotNet.Attributes;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>An expert projection as stored: MXFP4 rows, 17 bytes for 32 values.</summary>
[MemoryDiagnoser, RowBytes(17 / 32.0)]
public unsafe class Mxfp4Benchmarks
{
    private Weights<byte> _blocks = null!;
    private Weights<byte> _scales = null!;
    private ushort[] _bias = null!;
    private float[] _x = null!;
    private float[] _y = null!;
    private float[] _scratch = null!;

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
        int width = Mxfp4.ArrangedWidth(Values);
        _x = [.. Enumerable.Range(0, width * Tokens).Select(i => i % width < Values ? MathF.Sin(i) : 0)];
        _y = new float[Rows * Tokens];
        _scratch = new float[Mxfp4.ScratchValues(Values)];
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() =>
        MemoryRead.Fold(_blocks.Span) + MemoryRead.Fold(_scales.Span);

    [Benchmark]
    public void Multiply() => Mxfp4.Multiply(
        _blocks.Span, _scales.Span, _bias, new Rows(_x, Mxfp4.ArrangedWidth(Values)), new Rows(_y, Rows), 0, _scratch);
}
