using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>
/// Attention of the eight heads that share a key/value head over a context: decode of one token on one head.
/// </summary>
[MemoryDiagnoser, RowBytes(2 * sizeof(float))]
public unsafe class AttentionBenchmarks
{
    private const int Queries = 8;

    private Weights<float> _keysAndValues = null!;
    private float[] _queries = null!;
    private float[] _state = null!;

    /// <summary>gpt-oss's head.</summary>
    [Params(64)]
    public int Values { get; set; }

    /// <summary>Positions: one tile stays in the first-level cache, 262144 are 134 MB and come from memory.</summary>
    [Params(64, 262144)]
    public int Rows { get; set; }

    private int TileFloats => PageAttention.Positions * Values;

    [GlobalSetup]
    public void Fill()
    {
        _keysAndValues = new(2 * Values * Rows, random => (random & 0xFFFF) / 16384f - 2);
        _queries = [.. Enumerable.Range(0, Queries * Values).Select(i => MathF.Sin(i) / 8)];
        _state = new float[Queries * AttentionState.Floats(Values)];
    }

    [Benchmark(Baseline = true)]
    public ulong PlainRead() => MemoryRead.Fold(MemoryMarshal.AsBytes(_keysAndValues.Span));

    [Benchmark]
    public void Fold()
    {
        AttentionState state = AttentionState.In(_state, Values);
        state.Clear();
        Fold(_keysAndValues.Span, Rows / PageAttention.Positions, Values, _queries, state);
    }

    /// <summary>Folds tiles that lie keys, values, keys, values, each fetching the one behind it.</summary>
    internal static void Fold(
        ReadOnlySpan<float> tiles,
        int count,
        int headDim,
        Span<float> queries,
        AttentionState state
    )
    {
        int tile = PageAttention.Positions * headDim;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> keys = tiles.Slice(2 * i * tile, tile),
                values = tiles.Slice((2 * i + 1) * tile, tile);
            ReadOnlySpan<byte> next =
                i + 1 < count
                    ? System.Runtime.InteropServices.MemoryMarshal.AsBytes(tiles.Slice(2 * (i + 1) * tile, 2 * tile))
                    : default;
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
