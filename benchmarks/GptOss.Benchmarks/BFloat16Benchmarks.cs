using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using GptOss.Kernels;
using GptOss.Kernels.Formats;

namespace GptOss.Benchmarks;

/// <summary>A dense projection as stored: bfloat16.</summary>
[MemoryDiagnoser, ValueBytes(2)]
public unsafe class BFloat16Benchmarks
{
    private Weights<ushort> _w = null!;
    private float[] _x = null!;
    private float[] _y = null!;

    /// <summary>2880 is gpt-oss's hidden size: the inputs of the projections.</summary>
    [Params(2880)]
    public int Inputs { get; set; }

    /// <summary>64 weight rows stay in the second-level cache; 65536 are 377 MB and come from memory.</summary>
    [Params(64, 65536)]
    public int Outputs { get; set; }

    /// <summary>One is decode, 64 a chunk of prefill.</summary>
    [Params(1, 64)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _w = new(Inputs * Outputs, random => (ushort)(0x3C00 | random & 0x81FF));
        _x = [.. Enumerable.Range(0, Inputs * Tokens).Select(i => MathF.Sin(i))];
        _y = new float[Outputs * Tokens];
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(MemoryMarshal.AsBytes(_w.Span));

    [Benchmark]
    public void Multiply() => BFloat16.Multiply(_w.Span, [], new Rows(_x, Inputs), new Rows(_y, Outputs), 0);
}

/// <summary>An expert of a bf16 fine-tune: bfloat16 stored by input.</summary>
[MemoryDiagnoser, ValueBytes(2)]
public unsafe class BFloat16ByInputBenchmarks
{
    private Weights<ushort> _w = null!;
    private float[] _bias = null!;
    private float[] _x = null!;
    private float[] _y = null!;

    /// <summary>2880 is gpt-oss's hidden size: the inputs of gate and up.</summary>
    [Params(2880)]
    public int Inputs { get; set; }

    /// <summary>5760 are the outputs of gate and up of one expert.</summary>
    [Params(64, 5760)]
    public int Outputs { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _w = new(Inputs * Outputs, random => (ushort)(0x3C00 | random & 0x81FF));
        _bias = new float[Outputs];
        _x = [.. Enumerable.Range(0, Inputs).Select(i => MathF.Sin(i))];
        _y = new float[Outputs];
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(MemoryMarshal.AsBytes(_w.Span));

    [Benchmark]
    public void Multiply() => BFloat16ByInput.Multiply(_w.Span, _bias, new Rows(_x, Inputs), new Rows(_y, Outputs), 0);
}
