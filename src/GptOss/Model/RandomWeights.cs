using System.Runtime.InteropServices;
using GptOss.Checkpoint;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// A model of any shape with random weights of a trained model's spread: as fast as the real one, and as large.
/// </summary>
/// <remarks>
/// The memory is private and every page of it is written. The values repeat after about a megabyte, which no kernel
/// notices.
/// </remarks>
internal sealed unsafe class RandomWeights : IWeightStore, IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly byte[] _weights = new byte[PatternBytes],
        _codes = new byte[PatternBytes],
        _scales = new byte[PatternBytes];
    private readonly CancellationToken _stop;

    // Odd, so that rows and pages meet the pattern at ever other places; bfloat16 values need it even.
    private const int PatternBytes = 2 * 524_287;

    public RandomWeights(ModelConfig config, CancellationToken stop)
    {
        _stop = stop;
        var random = new Random(1);
        random.NextBytes(_codes);
        for (int i = 0; i < PatternBytes; i++)
            _scales[i] = (byte)random.Next(119, 122); // 2⁻⁸ to 2⁻⁶
        Span<ushort> values = MemoryMarshal.Cast<byte, ushort>(_weights.AsSpan());
        for (int i = 0; i < values.Length; i++)
            values[i] = (ushort)(0x3C80 | (random.Next() & 0x807F)); // ±0.016 to ±0.031

        try
        {
            Weights = Make(config);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ModelWeights Weights { get; }

    /// <summary>Where the weights lie.</summary>
    public IReadOnlyList<(nint Data, long Bytes)> Regions => _memory.Regions;

    public ILastReading ReadLast(byte* data, long bytes) => _memory.ReadLast(data, bytes);

    public void Dispose() => _memory.Dispose();

    private ModelWeights Make(ModelConfig c) =>
        new()
        {
            Config = c,
            Rope = new Rope(c.Rope, c.HeadDim),
            Embedding = Rows(c.VocabSize, c.HiddenSize, bias: false),
            Layers =
            [
                .. Enumerable
                    .Range(0, c.NumHiddenLayers)
                    .Select(layer => new LayerWeights(
                        new AttentionWeights
                        {
                            Norm = Ones(c.HiddenSize),
                            Query = Rows(c.QueryWidth, c.HiddenSize),
                            Key = Rows(c.KeyValueWidth, c.HiddenSize),
                            Value = Rows(c.KeyValueWidth, c.HiddenSize),
                            Output = Rows(c.HiddenSize, c.QueryWidth),
                            Sinks = new float[c.NumAttentionHeads],
                            Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
                        },
                        new ExpertWeights
                        {
                            Norm = Ones(c.HiddenSize),
                            Router = Rows(c.NumLocalExperts, c.HiddenSize),
                            GateUp = Experts(c.NumLocalExperts, 2 * c.IntermediateSize, c.HiddenSize),
                            Down = Experts(c.NumLocalExperts, c.HiddenSize, c.IntermediateSize),
                        }
                    )),
            ],
            FinalNorm = Ones(c.HiddenSize),
            Unembedding = Rows(c.VocabSize, c.HiddenSize, bias: false),
        };

    private Matrix Rows(int rows, int columns, bool bias = true) =>
        new()
        {
            Kind = MatrixKind.BFloat16Rows,
            Rows = rows,
            Columns = columns,
            Data = Fill(2L * rows * columns, _weights),
            Bias = bias ? new Numbers(Fill(2L * rows, _weights), NumberFormat.BFloat16) : default,
        };

    private ExpertMatrices Experts(int experts, int rows, int columns)
    {
        long blocks = (long)experts * rows * (columns / Mxfp4.BlockValues);
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Kind = MatrixKind.Mxfp4Rows,
                Rows = rows,
                Columns = columns,
                Data = Fill(blocks * Mxfp4.BlockBytes, _codes),
                Scales = Fill(blocks, _scales),
                Bias = new Numbers(Fill(2L * experts * rows, _weights), NumberFormat.BFloat16),
            },
            experts
        );
    }

    private static float[] Ones(int length)
    {
        float[] ones = new float[length];
        Array.Fill(ones, 1);
        return ones;
    }

    private byte* Fill(long bytes, byte[] pattern)
    {
        byte* data = _memory.Allocate(bytes);
        for (long at = 0; at < bytes; at += PatternBytes)
        {
            _stop.ThrowIfCancellationRequested();
            int count = (int)Math.Min(PatternBytes, bytes - at);
            pattern.AsSpan(0, count).CopyTo(new Span<byte>(data + at, count));
        }
        return data;
    }
}
