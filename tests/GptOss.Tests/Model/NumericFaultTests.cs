using System.Buffers.Binary;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>
/// A damaged value loads, and stops the run that meets it with the name of its tensor: never text from NaN.
/// </summary>
[Promise(9)]
public sealed class NumericFaultTests
{
    /// <summary>
    /// Two of three experts a token, so that a score that is not a number could hide behind those that are.
    /// </summary>
    private static readonly TinyShape Shape = new()
    {
        NumLocalExperts = 3,
        ExpertsPerToken = 2,
        VocabSize = 64,
    };
    private static readonly TinyShape Wide = Shape with { Experts = TinyExperts.BFloat16 };
    private static readonly Dictionary<string, TinyTensor> Packed = WeightBinderTests.Tensors(Shape),
        Unpacked = WeightBinderTests.Tensors(Wide);

    // All experts are met, and with 40 tokens every row of an embedding table but a few.
    private static readonly int[] Prompt = [.. LoadedModel.Prompt(40, 60), 60, 0];

    public static TheoryData<string> PackedNames => [.. Packed.Keys.Where(name => Packed[name].DType == "BF16")];

    public static TheoryData<string> ScaleNames =>
        [.. Packed.Keys.Where(name => name.EndsWith("_scales", StringComparison.Ordinal))];

    public static TheoryData<string> WideNames =>
        [.. Unpacked.Keys.Where(name => name.EndsWith("_proj", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(PackedNames))]
    public Task NaN_in_a_tensor_is_named(string name) => AssertNamed(Shape, Packed, name, 0x7FC0);

    [Theory, MemberData(nameof(WideNames))]
    public Task NaN_in_a_bf16_expert_is_named(string name) => AssertNamed(Wide, Unpacked, name, 0x7FC0);

    /// <summary>Clamped, an infinite gate would be a number like any other.</summary>
    [Theory, MemberData(nameof(WideNames))]
    public Task An_infinity_in_a_bf16_expert_is_named(string name) => AssertNamed(Wide, Unpacked, name, 0x7F80);

    [Theory, MemberData(nameof(ScaleNames))]
    public Task A_scale_of_255_is_named(string name) => AssertNamed(Shape, Packed, name, 0xFF);

    [Fact]
    public async Task A_row_of_the_embedding_does_no_harm_until_its_token_is_used()
    {
        using var folder = new TemporaryFolder();
        Damage(folder, Shape, Packed, "model.embed_tokens.weight", 60 * Shape.HiddenSize, 0x7FC0);
        CancellationToken stop = TestContext.Current.CancellationToken;
        await using GptOssModel model = await GptOssModel.LoadAsync(folder.Path, cancellationToken: stop);

        Assert.True(await model.Generate([1, 2], SamplingOptions.Greedy, cancellationToken: stop).AnyAsync(stop));

        var fault = await Assert.ThrowsAsync<NumericFaultException>(async () =>
            await model.Generate([1, 60], null, cancellationToken: stop).AnyAsync(stop)
        );
        Assert.Equal("model.embed_tokens.weight", fault.TensorName);
        Assert.Contains($"element {60 * Shape.HiddenSize}", fault.Message);
    }

    private static async Task AssertNamed(
        TinyShape shape,
        Dictionary<string, TinyTensor> tensors,
        string name,
        ushort bits
    )
    {
        using var folder = new TemporaryFolder();
        // Each expert's every matrix has the damage; of the others one value, of the used row.
        TinyTensor sound = tensors[name];
        int values = sound.Data.Length / (sound.DType == "U8" ? 1 : 2);
        int[] places =
            name.Contains("experts") ? [0, values / 3, values / 3 * 2]
            : name.Contains("router.") ? [values - 1]
            : name.Contains("embed") ? [60 * shape.HiddenSize]
            : [values - 1];
        Damage(folder, shape, tensors, name, places, bits);
        await using GptOssModel model = await GptOssModel.LoadAsync(folder.Path);

        var fault = await Assert.ThrowsAsync<NumericFaultException>(async () =>
            await model
                .Generate(Prompt, SamplingOptions.Greedy, cancellationToken: TestContext.Current.CancellationToken)
                .AnyAsync()
        );

        Assert.Equal(name, fault.TensorName);
        Assert.Contains(name, fault.Message);
        Assert.Contains(folder.Path, fault.Message);
    }

    private static void Damage(
        TemporaryFolder folder,
        TinyShape shape,
        Dictionary<string, TinyTensor> tensors,
        string name,
        int place,
        ushort bits
    ) => Damage(folder, shape, tensors, name, [place], bits);

    private static void Damage(
        TemporaryFolder folder,
        TinyShape shape,
        Dictionary<string, TinyTensor> tensors,
        string name,
        int[] places,
        ushort bits
    )
    {
        TinyTensor sound = tensors[name];
        byte[] data = [.. sound.Data];
        foreach (int place in places)
            if (sound.DType == "U8")
                data[place] = (byte)bits;
            else
                BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * place), bits);
        WeightBinderTests.Write(folder, shape, new(tensors) { [name] = sound with { Data = data } });
    }
}
