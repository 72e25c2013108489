using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>Which files of a repository are one model, by their names alone.</summary>
public sealed class ChosenFilesTests
{
    private static readonly string[] Packings =
    [
        "Q2_K",
        "Q2_K_L",
        "Q4_K_M",
        "Q4_K_S",
        "UD-Q4_K_M",
        "UD-Q4_K_XL",
        "Q8_0",
    ];

    [Theory]
    [InlineData("Q2_K", "m-Q2_K.gguf")]
    [InlineData("q2_k_l", "m-Q2_K_L.gguf")]
    [InlineData("Q4_K_M", "m-Q4_K_M.gguf")]
    [InlineData("UD-Q4_K_M", "m-UD-Q4_K_M.gguf")]
    [InlineData("Q4_K_XL", "m-UD-Q4_K_XL.gguf")]
    [InlineData("m-Q8_0", "m-Q8_0.gguf")]
    [InlineData("m-Q8_0.gguf", "m-Q8_0.gguf")]
    public void A_packing_means_one_file(string wanted, string file) => Assert.Equal(file, Chosen(wanted).Load);

    [Theory]
    [InlineData("Q4_K")]
    [InlineData("K_M")] // of Q4_K_M with and without UD
    [InlineData("gguf")]
    [InlineData(".*")]
    public void A_part_of_a_packing_means_none_or_several(string wanted) =>
        Assert.Throws<HubException>(() => Chosen(wanted));

    [Fact]
    public void A_file_that_is_asked_for_in_a_repository_without_GGUF_is_left_out()
    {
        HubFile[] all =
        [
            new("config.json", 10, new string('0', 40)),
            new("model.safetensors", 10, new string('1', 64)),
        ];
        HubException refusal = Assert.Throws<HubException>(() =>
            ChosenFiles.Of(new RepositoryName("a", "b"), all, "Q4_K_M")
        );
        Assert.Equal("a/b: it has no GGUF, and so none that is 'Q4_K_M'. Leave the file out.", refusal.Message);
    }

    [Fact]
    public void Of_the_published_repository_the_snapshot_that_the_documentation_counts_is_chosen()
    {
        // Sizes of openai/gpt-oss-20b at 6cee5e8; the whole repository has 41.3 GB.
        (string Path, long Bytes)[] files =
        [
            (".gitattributes", 1_570),
            ("README.md", 7_095),
            ("chat_template.jinja", 16_738),
            ("config.json", 1_806),
            ("generation_config.json", 177),
            ("metal/model.bin", 13_750_886_400),
            ("model-00000-of-00002.safetensors", 4_792_272_488),
            ("model-00001-of-00002.safetensors", 4_798_702_184),
            ("model-00002-of-00002.safetensors", 4_170_342_232),
            ("model.safetensors.index.json", 36_355),
            ("original/model.safetensors", 13_761_300_984),
            ("tokenizer.json", 27_868_174),
        ];
        HubFile[] all = [.. files.Select((file, i) => new HubFile(file.Path, file.Bytes, $"{i:x40}"))];
        using var folder = new TemporaryFolder();
        string config = Path.Join(folder.Path, "config.json"),
            index = Path.Join(folder.Path, "index.json");
        File.WriteAllText(config, """{"vocab_size":201088}""");
        File.WriteAllText(
            index,
            """{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00000-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}}"""
        );
        var name = new RepositoryName("openai", "gpt-oss-20b");

        IReadOnlyList<HubFile> chosen = ChosenFiles
            .Of(name, all, wanted: null)
            .Complete(name, all, file => file.Path == "config.json" ? config : index);

        Assert.Equal(
            [
                "model-00000-of-00002.safetensors",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "generation_config.json",
                "model.safetensors.index.json",
                "config.json",
            ],
            chosen.Select(file => file.Path)
        );
        Assert.Equal(13_761_355_242, chosen.Sum(file => file.Bytes));
    }

    private static ChosenFiles Chosen(string wanted) =>
        ChosenFiles.Of(
            new RepositoryName("a", "b"),
            [.. Packings.Select((packing, i) => new HubFile($"m-{packing}.gguf", 1000 + i, $"{i:x64}"))],
            wanted
        );
}
