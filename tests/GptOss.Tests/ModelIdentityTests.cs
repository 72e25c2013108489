using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests;

/// <summary>By what a host names a model and its figures: the published shape, and the fingerprint.</summary>
public sealed class ModelIdentityTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(24, 32, 2880, "gpt-oss-20b")]
    [InlineData(36, 128, 2880, "gpt-oss-120b")]
    [InlineData(6, 8, 192, "gptoss-tiny")]
    [InlineData(24, 128, 2880, null)]
    [InlineData(24, 32, 1440, null)]
    public void A_shape_has_the_name_of_the_published_model(int layers, int experts, int hidden, string? name)
    {
        ModelConfig any = ModelConfigTests.Read(TinyConfig.HuggingFace(new TinyShape()));
        Assert.Equal(
            name,
            KnownShape.NameOf(any with { NumHiddenLayers = layers, NumLocalExperts = experts, HiddenSize = hidden })
        );
    }

    [Fact]
    public async Task The_fingerprint_tells_weights_precision_and_the_form_of_keys_and_values()
    {
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, new TinyShape(), seed: 1);
        TinyCheckpoint.Write(other.Path, new TinyShape(), seed: 2);
        var fast = new ModelOptions { Precision = Precision.Fast };
        string[] prints =
        [
            await Fingerprint(folder.Path, new()),
            await Fingerprint(other.Path, new()),
            await Fingerprint(folder.Path, fast),
            await Fingerprint(folder.Path, new() { KeyValueFormat = KeyValueFormat.Int8 }),
            await Fingerprint(folder.Path, fast with { KeyValueFormat = KeyValueFormat.Int8 }),
        ];
        Assert.All(prints, print => Assert.Matches("^[0-9a-f]{16}$", print));
        // A server shows eight digits.
        Assert.Equal(5, prints.Select(print => print[..8]).Distinct().Count());
        Assert.Equal(prints[0], await Fingerprint(folder.Path, new() { Threads = 1, ContextLength = 64 }));
    }

    [Fact]
    public async Task A_disposed_model_that_was_never_asked_has_no_fingerprint()
    {
        GptOssModel model = await GptOssModel.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        Assert.Equal("gptoss-tiny", model.Shape);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Fingerprint);
        Assert.Equal("gptoss-tiny", model.Shape);
    }

    private static async Task<string> Fingerprint(string folder, ModelOptions options)
    {
        await using GptOssModel model = await GptOssModel.LoadAsync(folder, options, cancellationToken: Stop);
        Assert.Equal(model.Fingerprint, model.Fingerprint);
        return model.Fingerprint;
    }
}
