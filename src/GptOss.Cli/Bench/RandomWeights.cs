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
// Bound: each matrix gets as many bytes as its format takes for its sizes: Fill allocates them and writes whole spans.
internal sealed unsafe class RandomWeights : IWeightSource, IWeightStore, IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly byte[] _weights = new byte[PatternBytes],
        _codes = new byte[PatternBytes],
        _scales = new byte[PatternBytes],
        _mxfp4 = new byte[PatternBlocks * Mxfp4Halves.BlockBytes],
        _q8 = new byte[PatternBlocks * Q8_0.BlockBytes];
    private readonly RandomForm _form;
    private readonly int _experts;
    private readonly CancellationToken _stop;

    // Twice an odd number: bfloat16 values need an even number of bytes, and the odd factor keeps the pattern from
    // repeating in step with the weights of an output.
    private const int PatternBytes = 2 * 524_287,
        PatternBlocks = 61_681;

    public RandomWeights(ModelConfig config, RandomForm form, CancellationToken stop)
    {
        (_form, _stop) = (form, stop);
        _experts = config.NumLocalExperts;
        var random = new Random(1);
        random.NextBytes(_codes);
        for (int i = 0; i < PatternBytes; i++)
            _scales[i] = (byte)random.Next(119, 122); // 2⁻⁸ to 2⁻⁶
        Span<ushort> values = MemoryMarshal.Cast<byte, ushort>(_weights.AsSpan());
        for (int i = 0; i < values.Length; i++)
            values[i] = (ushort)(0x3C80 | (random.Next() & 0x807F)); // ±0.016 to ±0.031
        random.NextBytes(_mxfp4);
        random.NextBytes(_q8);
        for (int block = 0; block < PatternBlocks; block++)
        {
            _mxfp4[block * Mxfp4Halves.BlockBytes] = (byte)random.Next(119, 122);
            BitConverter.TryWriteBytes(_q8.AsSpan(block * Q8_0.BlockBytes), (Half)(random.NextSingle() / 4096));
        }

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
            Format = _form == RandomForm.GgufQ8 ? WeightFormat.Q8_0 : WeightFormat.BFloat16,
            Outputs = outputs,
            Inputs = inputs,
            Data =
                _form == RandomForm.GgufQ8
                    ? Fill(WeightFormat.Q8_0.Bytes(outputs, inputs), _q8)
                    : Fill(2L * outputs * inputs, _weights),
            Bias = place.Role is WeightRole.Embedding or WeightRole.Head ? default : Bias(outputs),
        };

    public ExpertMatrices Experts(WeightPlace place, int outputs, int inputs)
    {
        if (_form != RandomForm.Safetensors)
            return place.Role == WeightRole.GateUp
                ? ExpertMatrices.Apart(Joined(outputs / 2, inputs), Joined(outputs / 2, inputs))
                : Joined(outputs, inputs);
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

    private ExpertMatrices Joined(int outputs, int inputs) =>
        ExpertMatrices.Contiguous(
            new Matrix
            {
                Format = WeightFormat.Mxfp4Halves,
                Outputs = outputs,
                Inputs = inputs,
                Data = Fill(_experts * WeightFormat.Mxfp4Halves.Bytes(outputs, inputs), _mxfp4),
                Bias = Bias((long)_experts * outputs),
            },
            _experts
        );

    private Numbers Bias(long count) => new(Fill(2 * count, _weights), WeightFormat.BFloat16);

    private byte* Fill(long bytes, byte[] pattern)
    {
        byte* data = _memory.Allocate(bytes);
        for (long at = 0; at < bytes; at += pattern.Length)
        {
            _stop.ThrowIfCancellationRequested();
            int count = (int)Math.Min(pattern.Length, bytes - at);
            pattern.AsSpan(0, count).CopyTo(new Span<byte>(data + at, count));
        }
        return data;
    }
}
