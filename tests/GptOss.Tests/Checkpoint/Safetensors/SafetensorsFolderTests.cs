// Over 300 lines: one folder is built and damaged in all the ways that opening it must notice.
using System.Text.Json;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;

namespace GptOss.Tests.Checkpoint.Safetensors;

public sealed class SafetensorsFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SafetensorsFolderTests() => Write("config.json", "{}"u8.ToArray());

    [Fact]
    public void The_files_of_the_index_are_opened_in_order()
    {
        Write("model-00000-of-00001.safetensors", SafetensorsBytes.Named("a", "b"));
        Write("model-00001-of-00001.safetensors", SafetensorsBytes.Named("c"));
        Write("stray.safetensors", [0]);
        Index(
            ("c", "model-00001-of-00001.safetensors"),
            ("a", "model-00000-of-00001.safetensors"),
            ("b", "model-00000-of-00001.safetensors")
        );

        using var folder = SafetensorsFolder.Open(_folder.Path);

        Assert.Equal(["a", "b", "c"], folder.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(2, folder.Files.Count);
        Assert.Equal(12, folder.Tensors.Sum(tensor => tensor.ByteLength));
        Assert.True(folder.TryGet("c", out Tensor c));
        Assert.Equal(4, c.ByteLength);
        folder.ThrowIfChanged();
    }

    [Fact]
    public void One_file_needs_no_index()
    {
        Write("model.safetensors", SafetensorsBytes.Sample);
        Write("generation_config.json", "{\"pad_token_id\": 5}"u8.ToArray());

        using var folder = SafetensorsFolder.Open(_folder.Path);

        Assert.Equal(3, folder.Tensors.Count());
        Assert.Equal(5, folder.GenerationConfig!.Int32("pad_token_id", 0, 9));
    }

    [Fact]
    public unsafe void A_last_reading_has_the_bytes_of_the_tensor_until_it_is_closed()
    {
        Write("model--00001-of-00002.safetensors", SafetensorsBytes.Named("a", "b"));
        Write("model--00002-of-00002.safetensors", SafetensorsBytes.Named("c"));
        using var folder = SafetensorsFolder.Open(_folder.Path);
        foreach (Tensor tensor in folder.Tensors)
        {
            ILastReading reading = folder.ReadLast(tensor.Data, tensor.ByteLength);
            Assert.NotEqual((nint)tensor.Data, (nint)reading.Data);
            Assert.Equal(
                new ReadOnlySpan<byte>(tensor.Data, (int)tensor.ByteLength),
                new ReadOnlySpan<byte>(reading.Data, (int)tensor.ByteLength)
            );
            reading.Dispose();
            reading.Dispose();
            Assert.Throws<ObjectDisposedException>(() => (nint)reading.Data);
        }
        byte stranger = 0;
        byte* other = &stranger;
        Assert.Throws<ArgumentException>(() => folder.ReadLast(other, 1));
    }

    [Fact]
    public void A_series_of_files_needs_no_index_but_every_member()
    {
        Write("model--00001-of-00003.safetensors", SafetensorsBytes.Named("a"));
        Write("model--00003-of-00003.safetensors", SafetensorsBytes.Named("c"));
        Assert.Contains(
            "holds 2 files of the series 'model--00001-of-00003.safetensors', which has 3; number 2 is the first that is missing. Is the download complete?",
            Refusal()
        );

        Write("model--00002-of-00003.safetensors", SafetensorsBytes.Named("b"));
        using (var folder = SafetensorsFolder.Open(_folder.Path))
        {
            Assert.Equal(["a", "b", "c"], folder.Tensors.Select(tensor => tensor.Name));
            Assert.Null(folder.GenerationConfig);
        }

        Write("model--00001-of-00002.safetensors", SafetensorsBytes.Named("d"));
        Assert.Contains("two series", Refusal());
    }

    [Theory]
    [InlineData("../x.safetensors")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("sub/x.safetensors")]
    [InlineData("..\\x.safetensors")]
    [InlineData("/etc/hostname")]
    [InlineData("C:x.safetensors")]
    [InlineData("x\0.safetensors")]
    [Promise(7)]
    public void An_index_may_name_files_of_the_folder_alone(string name)
    {
        Directory.CreateDirectory(At("sub"));
        Write("sub/x.safetensors", SafetensorsBytes.Named("a"));
        Index(("a", name));

        Assert.Contains("field 'weight_map.a': expected the name of a file in the model folder, found ", Refusal());
    }

    [Fact]
    [Promise(7)]
    public void A_file_of_the_index_may_be_a_link_to_outside()
    {
        using var cache = new TemporaryFolder();
        File.WriteAllBytes(Path.Join(cache.Path, "0123"), SafetensorsBytes.Named("a"));
        File.CreateSymbolicLink(At("model-0.safetensors"), Path.Join(cache.Path, "0123"));
        Index(("a", "model-0.safetensors"));

        using var folder = SafetensorsFolder.Open(_folder.Path);

        Assert.Equal("a", folder.Get("a").Name);
    }

    [Fact]
    public void Index_and_files_must_agree()
    {
        Write("1.safetensors", SafetensorsBytes.Named("a", "b"));
        Write("2.safetensors", SafetensorsBytes.Named("c"));

        Index(("a", "1.safetensors"), ("b", "1.safetensors"), ("c", "2.safetensors"), ("d", "2.safetensors"));
        Assert.Contains("2.safetensors: tensor 'd' should be in this file", RefusalToGet("d"));
        Index(("a", "1.safetensors"), ("b", "2.safetensors"), ("c", "2.safetensors"));
        Assert.Contains("1.safetensors: tensor 'b' should be in '2.safetensors'", RefusalToGet("b"));
        Index(("a", "1.safetensors"), ("b", "1.safetensors"), ("c", "3.safetensors"));
        Assert.Contains("3.safetensors: does not exist. Is the download complete?", Refusal());
    }

    [Fact]
    public void A_tensor_that_nobody_asks_for_is_no_fault_in_or_out_of_the_index()
    {
        Write("1.safetensors", SafetensorsBytes.Named("a", "b"));
        Write("2.safetensors", SafetensorsBytes.Named("c"));
        Index(("a", "1.safetensors"), ("c", "1.safetensors"), ("d", "2.safetensors"));
        using var folder = SafetensorsFolder.Open(_folder.Path);
        Assert.Equal("a", folder.Get("a").Name);
    }

    [Fact]
    public void A_tensor_that_is_asked_for_must_be_in_the_index()
    {
        Write("1.safetensors", SafetensorsBytes.Named("a", "b"));
        Write("2.safetensors", SafetensorsBytes.Named("c"));
        Index(("a", "1.safetensors"), ("c", "2.safetensors"));
        Assert.Contains(
            "1.safetensors: tensor 'b' should be listed by model.safetensors.index.json, but is in this file alone.",
            RefusalToGet("b")
        );
    }

    [Theory]
    [InlineData("00001-of-00003", "00002-of-00003", "00003-of-00003")]
    [InlineData("00000-of-00002", "00001-of-00002", "00002-of-00002")] // as OpenAI numbers on Hugging Face
    [InlineData("00000-of-00003", "00001-of-00003", "00002-of-00003")]
    [InlineData("1-of-3", "2-of-3", "3-of-3")]
    public void A_whole_series_of_shards_needs_no_index(string first, string second, string third)
    {
        string[] names = ["c", "a", "b"];
        foreach ((string shard, string tensor) in new[] { first, second, third }.Zip(names))
            Write($"model-{shard}.safetensors", SafetensorsBytes.Named(tensor));
        Write("adapter_model.safetensors", [0]);
        using (var folder = SafetensorsFolder.Open(_folder.Path))
            Assert.Equal(names, folder.Tensors.Select(tensor => tensor.Name));
        File.Delete(At($"model-{second}.safetensors"));
        Assert.EndsWith("is the first that is missing. Is the download complete?", Refusal());
    }

    [Fact]
    public void A_single_file_beside_the_index_of_other_files_wins()
    {
        Write("model.safetensors", SafetensorsBytes.Sample);
        Index(("a", "model-00001-of-00002.safetensors"));
        using (var folder = SafetensorsFolder.Open(_folder.Path))
            Assert.Equal("b", folder.Get("b").Name);
        Index(("a.weight", "model.safetensors"), ("x", "2.safetensors"));
        Assert.Contains("2.safetensors: does not exist. Is the download complete?", Refusal());
    }

    [Theory]
    [InlineData("base_model.model.")]
    [InlineData("_orig_mod.")]
    [InlineData("module.")]
    [InlineData("module._orig_mod.")]
    public void A_prefix_that_every_name_has_is_left_out(string prefix)
    {
        Write("model.safetensors", SafetensorsBytes.Named(prefix + "x", prefix + "model.x"));
        using (var folder = SafetensorsFolder.Open(_folder.Path))
        {
            Assert.Equal(prefix + "x", folder.Get("x").Name);
            Assert.Equal(["x", "model.x"], folder.Names);
        }
        Write("model.safetensors", SafetensorsBytes.Named(prefix + "x", "y"));
        // A wrapper of a part is left out in any case
        string shown = prefix.Replace("._orig_mod", "", StringComparison.Ordinal);
        Assert.Contains($"but as '{shown}x', and not every name has that prefix", RefusalToGet("x"));
    }

    [Theory]
    [InlineData("policy.model.embed_tokens.weight", "policy.lm_head.weight", "lm_head.weight")]
    [InlineData("model.model.embed_tokens.weight", "model.lm_head.weight", "lm_head.weight")]
    [InlineData("student.embedding.weight", "student.unembedding.weight", "unembedding.weight")]
    [InlineData(
        "model.embed_tokens.weight",
        "model.layers.0._checkpoint_wrapped_module._orig_mod.self_attn.sinks",
        "model.layers.0.self_attn.sinks"
    )]
    public void Every_prefix_of_a_whole_model_and_wrappers_of_its_parts_are_left_out(
        string first,
        string second,
        string found
    )
    {
        Write("model.safetensors", SafetensorsBytes.Named(first, second));
        using var folder = SafetensorsFolder.Open(_folder.Path);
        Assert.Equal(second, folder.Get(found).Name);
    }

    [Fact]
    public void A_name_with_and_without_a_wrapper_is_refused()
    {
        Write("model.safetensors", SafetensorsBytes.Named("a.b", "a._orig_mod.b"));
        Assert.Contains("tensor 'a._orig_mod.b' means the same as 'a.b'", Refusal());
    }

    [Fact]
    public void A_tensor_in_two_files_is_refused()
    {
        Write("model--00001-of-00002.safetensors", SafetensorsBytes.Named("a", "b"));
        Write("model--00002-of-00002.safetensors", SafetensorsBytes.Named("b"));

        Assert.Contains("00002-of-00002.safetensors: tensor 'b' should be in one file", Refusal());
    }

    [Theory]
    [InlineData("{}", "'weight_map': expected an object, found nothing")]
    [InlineData("""{"weight_map": {}}""", "at least one tensor")]
    [InlineData("""{"weight_map": []}""", "expected an object, found an array")]
    [InlineData("""{"weight_map": {"a": 1}}""", "'weight_map.a': expected a string, found 1")]
    [InlineData("""{"weight_map": {"a": null}}""", "'weight_map.a': expected a string, found null")]
    [InlineData("""{"weight_map": {"a": "x", "a": "y"}}""", "'weight_map.a': expected once, found twice")]
    [InlineData("{not json", "expected JSON of at most 64 levels")]
    [InlineData("not json", "is text ('not json') where a JSON object belongs")]
    public void A_damaged_index_is_refused_even_beside_a_sound_file(string json, string words)
    {
        Write("model.safetensors", SafetensorsBytes.Sample);
        File.WriteAllText(At("model.safetensors.index.json"), json);

        Assert.Contains(words, Refusal());
    }

    [Fact]
    public void A_folder_without_weights_says_what_was_looked_for()
    {
        Directory.CreateDirectory(At("original"));
        Assert.Contains(
            "looked for model.safetensors.index.json, model.safetensors and a series such as model--00001-of-….",
            Refusal()
        );

        Write("original/model.safetensors", SafetensorsBytes.Sample);
        Assert.Contains("Its subfolder 'original' holds weights: open that folder instead.", Refusal());
    }

    [Fact]
    public void The_configuration_is_required_and_the_one_for_generation_may_not_be_damaged()
    {
        Write("model.safetensors", SafetensorsBytes.Sample);
        Write("generation_config.json", "{"u8.ToArray());
        Assert.Contains("generation_config.json: ", Refusal());

        File.Delete(At("generation_config.json"));
        File.CreateSymbolicLink(At("generation_config.json"), "nowhere");
        Assert.Contains("generation_config.json: is a link to", Refusal());

        File.Delete(At("config.json"));
        Assert.Contains("config.json: does not exist, though weights lie beside it", Refusal());
    }

    [Fact]
    public void What_is_no_folder_is_refused()
    {
        Assert.Contains("is a file, but should be", RefusalOf(At("config.json")));
        Assert.Contains("does not exist", RefusalOf(At("none")));
        Assert.Contains("does not exist", RefusalOf(At("a\0b")));
    }

    [Fact]
    public void A_tensor_that_is_nowhere_is_missed_by_name()
    {
        Write("model.safetensors", SafetensorsBytes.Sample);
        using var folder = SafetensorsFolder.Open(_folder.Path);

        Assert.False(folder.TryGet("x", out _));
        var e = Assert.Throws<CheckpointException>(() => folder.Get("x"));
        Assert.Equal((_folder.Path, "x"), (e.FilePath, e.TensorName));
        Assert.DoesNotContain("?", e.Message);
        Assert.Contains("which hold 3 others, such as 'a.weight'", e.Message);
    }

    [Fact]
    public void The_demonstration_model_opens()
    {
        using var folder = SafetensorsFolder.Open(Path.Join(Repository.Root, "src", "GptOss.TinyModel", "model"));

        int vocabulary = folder.Config.Int32("vocab_size", 1, int.MaxValue);
        int hidden = folder.Config.Int32("hidden_size", 1, int.MaxValue);
        Tensor embedding = folder.Get("model.embed_tokens.weight").Expect(DType.BF16, vocabulary, hidden);
        Assert.Equal((long)vocabulary * hidden, embedding.Count);
    }

    public void Dispose() => _folder.Dispose();

    private string At(string name) => Path.Join(_folder.Path, name);

    private void Write(string name, byte[] content) => File.WriteAllBytes(At(name), content);

    private void Index(params (string Tensor, string File)[] map) =>
        File.WriteAllText(
            At("model.safetensors.index.json"),
            JsonSerializer.Serialize(
                new
                {
                    metadata = new { total_size = 1 }, // wrong on purpose: nothing depends on it
                    weight_map = map.ToDictionary(entry => entry.Tensor, entry => entry.File),
                }
            )
        );

    private string RefusalToGet(string name)
    {
        using var folder = SafetensorsFolder.Open(_folder.Path);
        return Assert.Throws<CheckpointException>(() => folder.Get(name)).Message;
    }

    private string Refusal() => RefusalOf(_folder.Path);

    private static string RefusalOf(string path)
    {
        string message = Assert.Throws<CheckpointException>(() => SafetensorsFolder.Open(path).Dispose()).Message;
        Assert.InRange(message.Length, 1, 500);
        Assert.DoesNotContain(message, char.IsControl);
        return message;
    }
}
