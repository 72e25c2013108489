using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using GptOss.Cli.Bench;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>
/// Attention of the eight heads that share a key/value head over a context: decode of one token on one head.
/// </summary>
[MemoryDiagnoser, ValueBytes(2 * sizeof(float))]
public unsafe class AttentionBenchmarks
{
    private const int Queries = 8;

    private Weights<float> _keysAndValues = null!;
    private float[] _queries = null!;
    private float[] _state = null!;

    /// <summary>64 is the length of a head of gpt-oss.</summary>
    [Params(64)]
    public int HeadDim { get; set; }

    /// <summary>64 are one page, which stays in the nearest cache; 262144 are 134 MB and come from memory.</summary>
    [Params(64, 262144)]
    public int Positions { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _keysAndValues = new(2 * HeadDim * Positions, random => (random & 0xFFFF) / 16384f - 2);
        _queries = [.. Enumerable.Range(0, Queries * HeadDim).Select(i => MathF.Sin(i) / 8)];
        _state = new float[Queries * AttentionState.Floats(HeadDim)];
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(MemoryMarshal.AsBytes(_keysAndValues.Span));

    [Benchmark]
    public void Fold()
    {
        AttentionState state = AttentionState.In(_state, HeadDim);
        state.Clear();
        Fold(_keysAndValues.Span, Positions / PageAttention.Positions, HeadDim, _queries, state);
    }

    /// <summary>Folds pages that lie keys, values, keys, values in memory; each fetches the page behind it.</summary>
    internal static void Fold(
        ReadOnlySpan<float> pages,
        int count,
        int headDim,
        Span<float> queries,
        AttentionState state
    )
    {
        int pageFloats = PageAttention.Positions * headDim;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> keys = pages.Slice(2 * i * pageFloats, pageFloats),
                values = pages.Slice((2 * i + 1) * pageFloats, pageFloats);
            ReadOnlySpan<byte> next =
                i + 1 < count ? MemoryMarshal.AsBytes(pages.Slice(2 * (i + 1) * pageFloats, 2 * pageFloats)) : default;
            PageAttention.Fold(
                new Rows(queries, headDim),
                keys,
                values,
                0,
                PageAttention.Positions,
                state,
                next[..(next.Length / 2)],
                next[(next.Length / 2)..]
            );
        }
    }
}
