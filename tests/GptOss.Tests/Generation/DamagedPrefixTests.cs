using System.Buffers.Binary;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>Files that are not the saved prefix of this model: each is refused, and nothing of it is loaded.</summary>
[Promise(21)]
public sealed class DamagedPrefixTests : IDisposable
{
    private static readonly TinyShape Shape = new() { NumHiddenLayers = 1, LayerTypes = "f" };

    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = LoadedModel.Random(Shape, seed: 1, format: KeyValueFormat.Int8);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_folder.Path, "prefix");

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_that_ends_at_any_byte_is_refused()
    {
        byte[] saved = await Saved(3);
        for (int length = 0; length < saved.Length; length++)
        {
            SavedStateException error = await Assert.ThrowsAsync<SavedStateException>(() =>
                _model.Model.LoadPrefixAsync(new MemoryStream(saved, 0, length), null, Stop)
            );
            Assert.Contains($"but ends after {length}:", error.Message);
            Assert.Null(error.FilePath);
        }
        AssertNothingLoaded();
        Figure.Tell($"{saved.Length:N0} truncations, {saved.Length:N0} refused");
    }

    [Fact]
    public async Task What_belongs_to_another_model_precision_format_or_version_is_refused_by_name()
    {
        byte[] saved = await Saved(100);
        using LoadedModel fineTune = LoadedModel.Random(Shape, seed: 2, format: KeyValueFormat.Int8);
        using var fast = new LoadedModel(_model.Folder, format: KeyValueFormat.Int8, precision: Precision.Fast);
        using var wide = new LoadedModel(_model.Folder, format: KeyValueFormat.Float16);
        await Refused(fineTune, saved, "should be a prefix of the model ");
        await Refused(fast, saved, "should be of the precision Fast, but is of the precision Checkpoint");
        await Refused(wide, saved, "keys and values of the format Float16, but has those of the format Int8");
        byte[] newer = [.. saved];
        newer[8] = 2;
        await Refused(_model, newer, "should have version 1, but has version 2");
        await Refused(_model, "GGUF is something else altogether"u8.ToArray(), "should begin with the bytes");
        await Refused(_model, [.. saved, 0], "bytes, but has more");
        AssertNothingLoaded();
    }

    [Fact]
    public async Task Numbers_of_a_hostile_header_take_no_memory()
    {
        byte[] saved = await Saved(100);
        foreach (int tokens in (int[])[int.MinValue, -1, 0, int.MaxValue, 8192])
            await Refused(_model, WithTokens(saved, tokens), "tokens, as many as the context holds");
        await Refused(_model, WithTokens(saved, 8191), "bytes by its tokens");
        byte[] foreign = [.. saved];
        BinaryPrimitives.WriteInt32LittleEndian(foreign.AsSpan(SavedPrefixHeader.Bytes), 512);
        await Refused(_model, foreign, "should have token ids from 0 to 511, but token 0 is 512");
        AssertNothingLoaded();

        var options = new ModelOptions { KvCacheBytes = 8192, KeyValueFormat = KeyValueFormat.Int8 };
        using GptOssModel small = await GptOssModel.LoadAsync(_model.Folder, options, cancellationToken: Stop);
        SavedStateException error = await Assert.ThrowsAsync<SavedStateException>(() =>
            small.LoadPrefixAsync(new MemoryStream(saved), null, Stop)
        );
        Assert.Contains("and ModelOptions.KvCacheBytes is 8192", error.Message);
    }

    private static byte[] WithTokens(byte[] saved, int tokens)
    {
        byte[] changed = [.. saved];
        BinaryPrimitives.WriteInt32LittleEndian(changed.AsSpan(28), tokens);
        Sign(changed);
        return changed;
    }

    // A header whose checksum is right, so that its numbers themselves are looked at.
    private static void Sign(byte[] file) =>
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(40), SavedPrefixHeader.Checksum(0, file.AsSpan(0, 40)));

    private async Task Refused(LoadedModel model, byte[] content, string reason)
    {
        System.IO.File.WriteAllBytes(File, content);
        SavedStateException error = await Assert.ThrowsAsync<SavedStateException>(() =>
            model.Model.LoadPrefixAsync(File, null, Stop)
        );
        Assert.Contains(reason, error.Message);
        Assert.Equal(File, error.FilePath);
        Assert.Equal(0L, model.Engine.Cache.Pool.RentedBytes);
    }

    private void AssertNothingLoaded() => Assert.Equal(0L, _model.Engine.Cache.Pool.RentedBytes);

    private async Task<byte[]> Saved(int tokens)
    {
        var stream = new MemoryStream();
        await _model.Model.SavePrefixAsync(LoadedModel.Prompt(tokens, 512), stream, null, Stop);
        while (_model.Engine.Cache.Pool.MakeRoom!(1)) { }
        return stream.ToArray();
    }
}
