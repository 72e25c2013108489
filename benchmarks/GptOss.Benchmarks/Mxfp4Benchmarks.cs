using BenchmarkDotNet.Attributes;
using GptOss.Cli.Bench;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Benchmarks;

/// <summary>
/// An expert projection as stored: MXFP4, 17 bytes for 32 values, times float32 activations or int8.
/// </summary>
[MemoryDiagnoser, ValueBytes(17 / 32.0)]
public unsafe class Mxfp4Benchmarks
{
    private Weights<byte> _blocks = null!;
    private Weights<byte> _scales = null!;
    private Weights<float> _x = null!;
    private Weights<float> _quantized = null!;
    private Weights<float> _y = null!;
    private Weights<float> _scratch = null!;

    /// <summary>2880 is gpt-oss's hidden size: the inputs of every expert projection.</summary>
    [Params(2880)]
    public int Inputs { get; set; }

    /// <summary>
    /// 256 weight rows stay in the second-level cache; 184320 are gate and up of a layer of 32 experts, 282 MB.
    /// </summary>
    [Params(256, 184320)]
    public int Outputs { get; set; }

    /// <summary>One is decode, 32 what an expert gets of a chunk of prefill.</summary>
    [Params(1, 32)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _blocks = new(Inputs / 2 * Outputs, random => (byte)random);
        _scales = new(Inputs / 32 * Outputs, random => (byte)(119 + random % 8));
        int width = Mxfp4.PermutedWidth(Inputs),
            quantizedWidth = Int8Row.Width(Inputs);
        _x = new(width * Tokens, _ => 0);
        _quantized = new(quantizedWidth * Tokens, _ => 0);
        float[] activations = [.. Enumerable.Range(0, Inputs).Select(i => MathF.Sin(i))];
        for (int t = 0; t < Tokens; t++)
        {
            Mxfp4.Permute(activations, _x.Rows(width)[t]);
            Mxfp4Int8.Permute(activations, _quantized.Rows(quantizedWidth)[t], Tokens);
        }
        _y = new(Outputs * Tokens, _ => 0);
        _scratch = new(Math.Max(Mxfp4.ScratchFloats(Inputs, Tokens), Mxfp4Int8.ScratchFloats(Inputs, Tokens)), _ => 0);
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(_blocks.Span) + MemoryRead.Fold(_scales.Span);

    [Benchmark]
    public void Multiply() =>
        Mxfp4.Multiply(
            _blocks.Span,
            _scales.Span,
            Inputs,
            _x.Rows(Mxfp4.PermutedWidth(Inputs)),
            _y.Rows(Outputs),
            0,
            _scratch.Writable
        );

    [Benchmark]
    public void MultiplyByInt8() =>
        Mxfp4Int8.Multiply(
            _blocks.Span,
            _scales.Span,
            Inputs,
            _quantized.Rows(Int8Row.Width(Inputs)),
            _y.Rows(Outputs),
            0,
            _scratch.Writable
        );
}
