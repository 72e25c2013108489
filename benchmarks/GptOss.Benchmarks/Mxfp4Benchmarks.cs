using BenchmarkDotNet.Attributes;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>
/// An expert projection as stored: MXFP4 rows, 17 bytes for 32 values, times float32 activations or int8.
/// </summary>
[MemoryDiagnoser, RowBytes(17 / 32.0)]
public unsafe class Mxfp4Benchmarks
{
    private Weights<byte> _blocks = null!;
    private Weights<byte> _scales = null!;
    private float[] _bias = null!;
    private Weights<float> _x = null!;
    private Weights<float> _quantized = null!;
    private Weights<float> _y = null!;
    private Weights<float> _scratch = null!;

    /// <summary>2880 is gpt-oss's hidden size: the row length of every expert projection.</summary>
    [Params(2880)]
    public int Values { get; set; }

    /// <summary>
    /// 256 rows stay in the second-level cache; 184320 are gate and up of a layer of 32 experts, 282 MB.
    /// </summary>
    [Params(256, 184320)]
    public int Rows { get; set; }

    /// <summary>One is decode, 32 what an expert gets of a chunk of prefill.</summary>
    [Params(1, 32)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _blocks = new(Values / 2 * Rows, random => (byte)random);
        _scales = new(Values / 32 * Rows, random => (byte)(119 + random % 8));
        _bias = new float[Rows];
        int width = Mxfp4.PermutedWidth(Values),
            quantizedWidth = Int8Row.Width(Values);
        _x = new(width * Tokens, _ => 0);
        _quantized = new(quantizedWidth * Tokens, _ => 0);
        float[] row = [.. Enumerable.Range(0, Values).Select(i => MathF.Sin(i))];
        for (int t = 0; t < Tokens; t++)
        {
            Mxfp4.Permute(row, _x.Rows(width)[t]);
            Mxfp4Int8.Quantize(row, _quantized.Rows(quantizedWidth)[t], Tokens);
        }
        _y = new(Rows * Tokens, _ => 0);
        _scratch = new(Math.Max(Mxfp4.ScratchValues(Values), Mxfp4Int8.ScratchValues(Values, Tokens)), _ => 0);
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(_blocks.Span) + MemoryRead.Fold(_scales.Span);

    [Benchmark]
    public void Multiply() =>
        Mxfp4.Multiply(
            _blocks.Span,
            _scales.Span,
            _bias,
            _x.Rows(Mxfp4.PermutedWidth(Values)),
            _y.Rows(Rows),
            0,
            _scratch.Writable
        );

    [Benchmark]
    public void MultiplyByInt8() =>
        Mxfp4Int8.Multiply(
            _blocks.Span,
            _scales.Span,
            _bias,
            _quantized.Rows(Int8Row.Width(Values)),
            _y.Rows(Rows),
            0,
            _scratch.Writable
        );
}
