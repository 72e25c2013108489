using System.Runtime.InteropServices;
using GptOss.Checkpoint;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// Makes a model of any shape with random weights, spread like a trained model's: as large and as fast as the real one,
/// for measuring speed without its files.
/// </summary>
/// <remarks>
/// Every byte of the memory is written, so that the system really provides it. The values repeat after about a
/// megabyte, which changes no kernel's speed.
/// </remarks>
internal sealed unsafe class RandomWeights : IWeightStore, IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly byte[] _weights = new byte[PatternBytes],
        _codes = new byte[PatternBytes],
        _scales = new byte[PatternBytes];
    private readonly CancellationToken _stop;

    // Twice an odd number: bfloat16 values need an even number of bytes, and the odd factor keeps the pattern from
    // repeating in step with the weights of an output.
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

    /// <summary>The memory of the weights.</summary>
    public IReadOnlyList<(nint Data, long Bytes)> Regions => _memory.Regions;

    public ILastReading ReadLast(byte* data, long bytes) => _memory.ReadLast(data, bytes);

    public void Dispose() => _memory.Dispose();

    private ModelWeights Make(ModelConfig c) =>
        new()
        {
            Config = c,
            Rope = new Rope(c.Rope, c.HeadDim),
            Embedding = Dense(c.VocabSize, c.HiddenSize, bias: false),
            Layers =
            [
                .. Enumerable
                    .Range(0, c.NumHiddenLayers)
                    .Select(layer => new LayerWeights(
                        new AttentionWeights
                        {
                            Norm = Ones(c.HiddenSize),
                            Query = Dense(c.QueryWidth, c.HiddenSize),
                            Key = Dense(c.KeyValueWidth, c.HiddenSize),
                            Value = Dense(c.KeyValueWidth, c.HiddenSize),
                            Output = Dense(c.HiddenSize, c.QueryWidth),
                            Sinks = new float[c.NumAttentionHeads],
                            Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
                        },
                        new ExpertWeights
                        {
                            Norm = Ones(c.HiddenSize),
                            Router = Dense(c.NumLocalExperts, c.HiddenSize),
                            GateUp = Experts(c.NumLocalExperts, 2 * c.IntermediateSize, c.HiddenSize),
                            Down = Experts(c.NumLocalExperts, c.HiddenSize, c.IntermediateSize),
                        }
                    )),
            ],
            FinalNorm = Ones(c.HiddenSize),
            Unembedding = Dense(c.VocabSize, c.HiddenSize, bias: false),
        };

    private Matrix Dense(int outputs, int inputs, bool bias = true) =>
        new()
        {
            Format = WeightFormat.BFloat16,
            Outputs = outputs,
            Inputs = inputs,
            Data = Fill(2L * outputs * inputs, _weights),
            Bias = bias ? new Numbers(Fill(2L * outputs, _weights), WeightFormat.BFloat16) : default,
        };

    private ExpertMatrices Experts(int experts, int outputs, int inputs)
    {
        long blocks = (long)experts * outputs * (inputs / Mxfp4.BlockValues);
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Format = WeightFormat.Mxfp4,
                Outputs = outputs,
                Inputs = inputs,
                Data = Fill(blocks * Mxfp4.BlockBytes, _codes),
                Scales = Fill(blocks, _scales),
                Bias = new Numbers(Fill(2L * experts * outputs, _weights), WeightFormat.BFloat16),
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
