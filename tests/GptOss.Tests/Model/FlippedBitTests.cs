using System.Buffers.Binary;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>
/// One bit flipped on the disk or in memory: an error, or logits that are numbers and differ from each other.
/// </summary>
[Promise(6)]
public sealed class FlippedBitTests
{
    private static readonly TinyShape Packed = new()
    {
        NumLocalExperts = 3,
        ExpertsPerToken = 2,
        VocabSize = 64,
    };
    private static readonly TinyShape Wide = Packed with { Experts = TinyExperts.BFloat16 };

    private const int TopExponentBit = 0x4000,
        FlipsOfATensor = 4;

    [Theory]
    [InlineData("packed", Precision.Checkpoint)]
    [InlineData("packed", Precision.Fast)]
    [InlineData("wide", Precision.Checkpoint)]
    public async Task A_flip_of_the_top_exponent_bit_is_noticed_or_leaves_logits_that_say_something(
        string kind,
        Precision precision
    )
    {
        TinyShape shape = kind == "packed" ? Packed : Wide;
        Dictionary<string, TinyTensor> tensors = WeightBinderTests.Tensors(shape);
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, shape, tensors);
        string file = Path.Combine(folder.Path, "model.safetensors");
        byte[] sound = File.ReadAllBytes(file);
        int data = sound.Length - tensors.Values.Sum(tensor => tensor.Data.Length),
            noticed = 0,
            harmless = 0;
        var random = new Random(5);
        var options = new ModelOptions { Threads = 1, Precision = precision };
        int[] prompt = LoadedModel.Prompt(12, shape.VocabSize);

        foreach ((string name, TinyTensor tensor) in tensors)
        {
            for (int flip = 0; flip < FlipsOfATensor && tensor.DType == "BF16"; flip++)
            {
                // Of the embedding the row of a token that is there: another one is not read.
                int value = name.Contains("embed_tokens", StringComparison.Ordinal)
                    ? prompt[flip] * shape.HiddenSize + random.Next(shape.HiddenSize)
                    : random.Next(tensor.Data.Length / 2);
                byte[] damaged = [.. sound];
                Span<byte> at = damaged.AsSpan(data + 2 * value);
                BinaryPrimitives.WriteUInt16LittleEndian(
                    at,
                    (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(at) ^ TopExponentBit)
                );
                File.WriteAllBytes(file, damaged);
                try
                {
                    using var model = new LoadedModel(folder.Path, precision: precision);
                    _ = await model
                        .Model.Generate(
                            prompt,
                            SamplingOptions.Greedy,
                            cancellationToken: TestContext.Current.CancellationToken
                        )
                        .FirstAsync(TestContext.Current.CancellationToken);
                    float[] logits = model.Logits(prompt)[^1];
                    Assert.True(Array.TrueForAll(logits, float.IsFinite), $"{name}, value {value}: not finite");
                    Assert.True(logits.Distinct().Count() > 1, $"{name}, value {value}: all logits are {logits[0]}");
                    harmless++;
                }
                catch (Exception e) when (e is NumericFaultException or CheckpointException)
                {
                    Assert.Contains(folder.Path, e.Message);
                    noticed++;
                }
            }
            data += tensor.Data.Length;
        }

        Figure.Tell($"{kind}, {precision}: {noticed} noticed, {harmless} harmless");
        Assert.InRange(noticed, 20, noticed + harmless); // a campaign that damages nothing would prove nothing
        Assert.InRange(harmless, 1, noticed + harmless);
    }

    [Fact]
    public async Task Logits_that_are_all_equal_are_a_fault()
    {
        Dictionary<string, TinyTensor> tensors = WeightBinderTests.Tensors(Packed);
        TinyTensor head = tensors["lm_head.weight"];
        tensors["lm_head.weight"] = head with { Data = new byte[head.Data.Length] };
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Packed, tensors);
        CancellationToken stop = TestContext.Current.CancellationToken;
        await using GptOssModel model = await GptOssModel.LoadAsync(folder.Path, cancellationToken: stop);
        var fault = await Assert.ThrowsAsync<NumericFaultException>(async () =>
            await model.Generate([1], null, cancellationToken: stop).AnyAsync(stop)
        );
        Assert.Contains("all equal", fault.Message);
        Assert.Null(fault.TensorName);
    }
}
