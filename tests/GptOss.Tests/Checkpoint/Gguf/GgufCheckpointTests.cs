using System.Buffers.Binary;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using GptOss.Cli.Inspect;
using GptOss.Model;
using GptOss.Tests.Model;

namespace GptOss.Tests.Checkpoint.Gguf;

/// <summary>Where a GGUF model lies, and what becomes of it while it is open.</summary>
public sealed class GgufCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("sha256-b112e727c6f1875636c56a779d10d7fa7a2e3ce3c5a9bf1e2f0e0d7d1e0d1c2b", "oracle fixture")]
    [InlineData("sha256-of-something", "sha256-of-something")]
    [InlineData("model.bin", "model.bin")]
    [InlineData("A.Q8_0.gguf", "A.Q8_0")]
    public void A_file_is_a_model_by_its_content_alone_and_has_a_name_for_people(string name, string shown)
    {
        string path = Path.Join(_folder.Path, name);
        File.Copy(GgufVectors.PathOf("A-bare.gguf"), path);
        using (var file = new LoadedModel(path))
            Assert.Equal(512, file.Model.VocabularySize);
        using var folder = new LoadedModel(_folder.Path);
        Assert.Equal(path, folder.Model.Path);
        Assert.Equal(shown, folder.Model.Name);
    }

    [Fact]
    public void A_config_beside_a_gguf_does_not_make_it_safetensors()
    {
        File.Copy(GgufVectors.PathOf("A-bare.gguf"), Path.Join(_folder.Path, "A.gguf"));
        File.WriteAllText(Path.Join(_folder.Path, "config.json"), "{}");
        File.WriteAllText(Path.Join(_folder.Path, "README.md"), "# A");
        using ICheckpoint checkpoint = Checkpoints.Open(_folder.Path);
        Assert.IsType<GgufCheckpoint>(checkpoint);
    }

    [Fact]
    public void A_folder_with_two_models_asks_for_one()
    {
        foreach (string name in (string[])["a.gguf", "b.gguf"])
            File.Copy(GgufVectors.PathOf("A-bare.gguf"), Path.Join(_folder.Path, name));
        string message = Assert.Throws<CheckpointException>(() => Checkpoints.Open(_folder.Path)).Message;
        Assert.Equal($"{_folder.Path}: holds 2 GGUF models: 'a.gguf', 'b.gguf'. Name one of them.", message);
    }

    [Theory]
    [InlineData("<html><head><title>Sign in</title>", "is a web page and not the file")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00", "is a Git LFS pointer")]
    [InlineData("Entry not found", "is text ('Entry not found') where weights belong")]
    public void Something_else_under_the_name_of_a_gguf_is_told(string content, string says)
    {
        string path = Path.Join(_folder.Path, "model.gguf");
        File.WriteAllText(path, content);
        Assert.Contains(says, Assert.Throws<CheckpointException>(() => Checkpoints.Open(path)).Message);
    }

    [Fact]
    public void A_file_that_is_written_while_it_is_open_is_noticed_and_a_touch_is_not()
    {
        string path = Path.Join(_folder.Path, "model.gguf");
        File.Copy(GgufVectors.PathOf("A-q8_0.gguf"), path);
        using ICheckpoint checkpoint = Checkpoints.Open(path);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
        checkpoint.ThrowIfChanged();

        // The last byte of the list of tensors, which is the upper one of an offset.
        long end = checkpoint.Tensors.Min(tensor => Offset(checkpoint, tensor)) - 33;
        using (FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            file.Position = Math.Max(0, end);
            file.WriteByte(0x55);
        }
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(2));
        Assert.Contains("was changed", Assert.Throws<CheckpointException>(checkpoint.ThrowIfChanged).Message);
    }

    [Theory]
    [InlineData("A-q8_0", "blk.1.attn_v.weight", 0x7C00)] // the scale of a block is infinite
    [InlineData("A-q4km", "blk.0.attn_output.weight", 0x7E00)] // NaN
    [InlineData("A-bf16", "blk.0.attn_norm.weight", 0x7F80)]
    public void A_value_that_is_not_finite_is_found_by_the_name_of_its_tensor(string file, string tensor, int bits)
    {
        byte[] bytes = File.ReadAllBytes(GgufVectors.PathOf(file + ".gguf"));
        string path = Path.Join(_folder.Path, "damaged.gguf");
        using (ICheckpoint sound = Checkpoints.Open(GgufVectors.PathOf(file + ".gguf")))
        {
            Tensor damaged = sound.Get(tensor);
            // Of a block its float16, and of a float32 the upper half.
            int at = (int)Offset(sound, damaged) + (damaged.DType == DType.F32 ? 2 : 0);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)bits);
        }
        File.WriteAllBytes(path, bytes);
        using var folder = ModelFolder.Open(path, ModelOptions.Default, null, CancellationToken.None);
        NumericFaultException fault = folder.ExplainFault(CancellationToken.None);
        Assert.Equal(tensor, fault.TensorName);
        Assert.StartsWith($"{path}: the logits are not finite: tensor '{tensor}'", fault.Message);
    }

    [Theory]
    [InlineData("A-q8_0")]
    [InlineData("A-ollama-first")]
    public void An_inspection_counts_what_safetensors_count(string file)
    {
        var expected = Inspection.Of(Repository.Vector("oracle", "A"), context: 64);
        var actual = Inspection.Of(GgufVectors.PathOf(file + ".gguf"), context: 64);
        Assert.Equal((expected.Parameters, expected.ActiveParameters), (actual.Parameters, actual.ActiveParameters));
        Assert.Equal(expected.Memory[0].KeyValueBytes, actual.Memory[0].KeyValueBytes);
        Assert.Equal(CheckpointLayout.Gguf, actual.Layout);
        Assert.Contains(actual.Tensors, group => group.Name.StartsWith("blk.*.", StringComparison.Ordinal));
        Assert.NotEmpty(InspectionSheets.Of(actual));
    }

    private static unsafe long Offset(ICheckpoint checkpoint, Tensor tensor)
    {
        Tensor last = checkpoint.Tensors.MaxBy(other => (nint)other.Data);
        long end = new FileInfo(tensor.File).Length;
        // The last tensor ends with the file but for its padding.
        long lastAt = (end - last.ByteLength) / 32 * 32;
        return lastAt - (long)(last.Data - tensor.Data);
    }
}
