using GptOss.Checkpoint.Gguf;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

/// <summary>Vocabularies in the keys of a GGUF file, for models whose vocabulary is not gpt-oss's own.</summary>
public sealed class TokenizerGgufTests : IDisposable
{
    private const string Prefix = "tokenizer.ggml.";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Text_becomes_merged_tokens_and_comes_back()
    {
        Tokenizer tokenizer = Read(Vocabulary())!;
        Assert.Equal([300, 'a'], tokenizer.Encode("theta".Replace("eta", "ea", StringComparison.Ordinal)));
        Assert.Equal("the <|start|>é", tokenizer.Decode(tokenizer.Encode("the <|start|>é")));
        Assert.Equal(511, tokenizer.SpecialTokens["<|start|>"]);
        Assert.DoesNotContain(511, tokenizer.Encode("<|start|>"));
        Assert.Equal("<|start|>", tokenizer.Decode([511]));
    }

    [Theory]
    [InlineData("model", "tokenizer.ggml.model: expected 'gpt2', found 'llama'.")]
    [InlineData("pre", "tokenizer.ggml.pre: expected 'gpt-4o', found 'qwen2'.")]
    [InlineData("count", "tokenizer.ggml.tokens: expected 512 tokens, found 511.")]
    [InlineData("twice", "tokens that differ")]
    [InlineData("merge", "tokenizer.ggml.merges: expected tokens of the vocabulary, found 'tq'.")]
    [InlineData("types", "tokenizer.ggml.token_type: expected an array, found no such key.")]
    [InlineData("byte", "a token for every byte")]
    public void A_vocabulary_that_is_not_read_leaves_token_ids_and_says_why(string damage, string says)
    {
        List<GgufKey> keys = Vocabulary(damage);
        Assert.Null(Read(keys, out string? whyNot));
        Assert.Contains(says, whyNot);
        Assert.EndsWith("token ids are.", whyNot);
    }

    [Fact]
    public async Task A_model_without_the_markers_of_the_chat_format_serves_token_ids()
    {
        await using GptOssModel model = await GptOssModel.LoadAsync(
            GgufVectors.PathOf("A-q8_0.gguf"),
            cancellationToken: TestContext.Current.CancellationToken
        );
        string message = Assert.Throws<CheckpointException>(() => model.Tokenizer).Message;
        Assert.Contains("tokenizer.ggml.merges", message); // the fixture's only merge is of no token
        Assert.Equal([511], model.StopTokens); // its eos_token_id
    }

    private Tokenizer? Read(List<GgufKey> keys) => Read(keys, out _);

    private Tokenizer? Read(List<GgufKey> keys, out string? whyNot)
    {
        var file = GgufParts.Read(GgufVectors.PathOf("A-bare.gguf"));
        file.Keys.AddRange(keys);
        string path = Path.Join(_folder.Path, "model.gguf");
        File.WriteAllBytes(path, file.Bytes());
        using var checkpoint = GgufCheckpoint.Open(path);
        return Tokenizer.ForGguf(checkpoint, 512, out whyNot);
    }

    private static List<GgufKey> Vocabulary(string damage = "")
    {
        int[] printable = [.. Enumerable.Range(33, 94), .. Enumerable.Range(161, 12), .. Enumerable.Range(174, 82)];
        int spare = 256;
        var tokens = new List<string>();
        for (int value = 0; value < 256; value++)
            tokens.Add($"{(char)(printable.Contains(value) ? value : spare++)}");
        for (int id = 256; id < 511; id++)
            tokens.Add(
                id == 299 ? "th"
                : id == 300 ? "the"
                : $"<t{id}>"
            );
        tokens.Add("<|start|>");
        int[] types = [.. tokens.Select(token => token.StartsWith('<') && token.Length > 1 ? 3 : 1)];
        string[] merges = ["t h", "th e"];
        switch (damage)
        {
            case "count":
                tokens.RemoveAt(400);
                break;
            case "twice":
                tokens[400] = tokens[401];
                break;
            case "merge":
                merges = ["t h", "t q"];
                break;
            case "byte":
                tokens[7] = "<t7>";
                break;
        }
        List<GgufKey> keys =
        [
            Text("model", damage == "model" ? "llama" : "gpt2"),
            Text("pre", damage == "pre" ? "qwen2" : "gpt-4o"),
            Strings("tokens", tokens),
            Strings("merges", merges),
        ];
        if (damage != "types")
            keys.Add(
                new(
                    Prefix + "token_type",
                    GgufParts.Array,
                    [
                        .. GgufParts.Number(GgufParts.I32, 4),
                        .. GgufParts.Number((ulong)types.Length, 8),
                        .. types.SelectMany(type => GgufParts.Number((ulong)type, 4)),
                    ]
                )
            );
        return keys;
    }

    private static GgufKey Text(string name, string value) =>
        new(Prefix + name, GgufParts.String, GgufParts.String8(value));

    private static GgufKey Strings(string name, IReadOnlyCollection<string> values) =>
        new(
            Prefix + name,
            GgufParts.Array,
            [
                .. GgufParts.Number(GgufParts.String, 4),
                .. GgufParts.Number((ulong)values.Count, 8),
                .. values.SelectMany(GgufParts.String8),
            ]
        );
}
