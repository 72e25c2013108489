using System.Runtime.InteropServices;
using GptOss.Checkpoint;
using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary>
/// Makes a model of any shape with random weights, spread like a trained model's: as large and as fast as the real one,
/// for measuring speed without its files.
/// </summary>
/// <remarks>
/// Every byte of the memory is written, so that the system really provides it. The values repeat after about a
/// megabyte, which changes no kernel's speed.
/// </remarks>
internal sealed unsafe class RandomWeights : IWeightSource, IWeightStore, IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly byte[] _weights = new byte[PatternBytes],
        _codes = new byte[PatternBytes],
        _scales = new byte[PatternBytes];
    private readonly int _experts;
    private readonly CancellationToken _stop;

    // Twice an odd number: bfloat16 values need an even number of bytes, and the odd factor keeps the pattern from
    // repeating in step with the weights of an output.
    private const int PatternBytes = 2 * 524_287;

    public RandomWeights(ModelConfig config, CancellationToken stop)
    {
        _stop = stop;
        _experts = config.NumLocalExperts;
        var random = new Random(1);
        random.NextBytes(_codes);
        for (int i = 0; i < PatternBytes; i++)
            _scales[i] = (byte)random.Next(119, 122); // 2⁻⁸ to 2⁻⁶
        Span<ushort> values = MemoryMarshal.Cast<byte, ushort>(_weights.AsSpan());
        for (int i = 0; i < values.Length; i++)
            values[i] = (ushort)(0x3C80 | (random.Next() & 0x807F)); // ±0.016 to ±0.031

        try
        {
            Weights = ModelWeights.From(config, this);
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

    public float[] Vector(WeightPlace place, int length)
    {
        float[] values = new float[length];
        values.AsSpan().Fill(place.Role == WeightRole.Sinks ? 0 : 1);
        return values;
    }

    public Matrix Matrix(WeightPlace place, int outputs, int inputs) =>
        new()
        {
            Format = WeightFormat.BFloat16,
            Outputs = outputs,
            Inputs = inputs,
            Data = Fill(2L * outputs * inputs, _weights),
            Bias = place.Role is WeightRole.Embedding or WeightRole.Head ? default : Bias(outputs),
        };

    public ExpertMatrices Experts(WeightPlace place, int outputs, int inputs)
    {
        long blocks = (long)_experts * outputs * (inputs / Mxfp4.BlockValues);
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Format = WeightFormat.Mxfp4,
                Outputs = outputs,
                Inputs = inputs,
                Data = Fill(blocks * Mxfp4.BlockBytes, _codes),
                Scales = Fill(blocks, _scales),
                Bias = Bias((long)_experts * outputs),
            },
            _experts
        );
    }

    private Numbers Bias(long count) => new(Fill(2 * count, _weights), WeightFormat.BFloat16);

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
