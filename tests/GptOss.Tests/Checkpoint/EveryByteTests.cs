using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Checkpoint;

/// <summary>Weights that end at every byte; headers and JSON with every bit turned.</summary>
public sealed class EveryByteTests
{
    private static readonly TinyShape Shape = DamagedFolder.Shape with { Shards = 1, WithIndex = false };

    private static readonly byte[] Weights = Written();

    private static int HeaderLength => SafetensorsHeader.LengthWithPrefix(Weights, Weights.Length, "x");

    /// <summary>All lengths within the header; behind it every 97th, and all of them where time is given.</summary>
    [Fact, Promise(5), Trait("kind", "long")]
    public void Weights_that_end_at_any_byte_are_refused()
    {
        int cut = 0;
        for (int length = 0; length < Weights.Length; length += Long.IsLong || length <= HeaderLength ? 1 : 97, cut++)
            Assert.NotNull(Verdict(() => SafetensorsHeader.Parse(Weights.AsSpan(0, length), length, "folder/x")));
        Figure.Tell($"{cut:N0} truncations of {Weights.Length:N0} bytes, {cut:N0} refused");
    }

    [Fact, Promise(6)]
    public void A_bit_turned_in_the_header_is_refused_or_leaves_every_tensor_where_it_is()
    {
        string[] places = Places(Weights);
        int refused = 0,
            loaded = 0;
        byte[] turned = [.. Weights];
        for (int bit = 0; bit < HeaderLength * 8; bit++)
        {
            turned[bit / 8] ^= (byte)(1 << (bit % 8));
            if (Verdict(() => Assert.Equal(places, Places(turned))) is null)
                loaded++;
            else
                refused++;
            turned[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Tell("safetensors header", refused, loaded);
    }

    /// <summary>Every 29th bit, so that each bit of a byte has its turn; all of them where time is given.</summary>
    [Theory, Promise(6), Trait("kind", "long")]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("model.safetensors.index.json")]
    public async Task A_bit_turned_in_json_is_refused_or_leaves_a_model_that_answers(string name)
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, Shape with { WithIndex = true, Shards = 2 }, seed: 1);
        string path = Path.Combine(folder.Path, name);
        byte[] json = File.ReadAllBytes(path);
        Assert.Null(await Verdict(() => Answer(folder.Path), "untouched"));

        int refused = 0,
            loaded = 0;
        for (int bit = 0; bit < json.Length * 8; bit += Long.IsLong ? 1 : 29)
        {
            byte[] turned = [.. json];
            turned[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(path, turned);
            if (await Verdict(() => Answer(folder.Path), $"bit {bit}") is null)
                loaded++;
            else
                refused++;
        }
        Tell(name, refused, loaded);
    }

    private static void Tell(string what, int refused, int loaded)
    {
        Figure.Tell($"{what}: {refused + loaded:N0} bit flips, {refused:N0} refused, {loaded:N0} loaded, 0 crashes");
        Assert.True(refused > 10 && loaded > 0, $"{what}: {refused} refused, {loaded} loaded");
    }

    private static string[] Places(byte[] file) =>
        [
            .. SafetensorsHeader
                .Parse(file, file.Length, "folder/x")
                .Select(tensor => $"{Tensor.Describe(tensor.DType, tensor.Shape)} {tensor.Begin} {tensor.ByteLength}"),
        ];

    private static byte[] Written()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, Shape, seed: 1);
        return File.ReadAllBytes(Path.Combine(folder.Path, "model.safetensors"));
    }

    private static async Task Answer(string folder)
    {
        await using GptOssModel model = await GptOssModel.LoadAsync(folder, new ModelOptions { Threads = 1 });
        Assert.True(
            await model.Generate([0, 1], SamplingOptions.Greedy).AnyAsync(TestContext.Current.CancellationToken)
        );
    }

    /// <summary>What is said against it; null where it is accepted. Any other exception fails the test.</summary>
    private static async Task<string?> Verdict(Func<Task> open, string what)
    {
        try
        {
            await open();
            return null;
        }
        catch (GptOssException refusal)
        {
            Assert.True(refusal.Message.Length is > 0 and <= 500 && !refusal.Message.Any(char.IsControl), what);
            return refusal.Message;
        }
        catch (Exception error)
        {
            Assert.Fail($"{what}: {error}");
            throw;
        }
    }

    private static string? Verdict(Action open)
    {
        try
        {
            open();
            return null;
        }
        catch (CheckpointException refusal)
        {
            return refusal.Message;
        }
    }
}
