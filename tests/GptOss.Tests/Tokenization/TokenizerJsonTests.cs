using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

public sealed class TokenizerJsonTests
{
    private const int VocabularySize = 960;
    private static readonly string TinyFile = Path.Combine(
        Repository.Root,
        "src",
        "GptOss.TinyModel",
        "model",
        "tokenizer.json"
    );
    private static readonly byte[] Tiny = File.ReadAllBytes(TinyFile);

    public static TheoryData<string, string, string> Changes() =>
        new()
        {
            // What is changed in the tiny model's file, to what, and the field that the refusal names.
            { "normalizer", """{"type": "NFC"}""", "normalizer" },
            { "decoder.type", "\"WordPiece\"", "decoder.type" },
            { "model", "null", "model" },
            { "model.type", "\"Unigram\"", "model.type" },
            { "model.dropout", "0.1", "model.dropout" },
            { "model.byte_fallback", "true", "model.byte_fallback" },
            { "model.byte_fallback", "1", "model.byte_fallback" },
            { "model.continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix" },
            { "model.end_of_word_suffix", "\"</w>\"", "model.end_of_word_suffix" },
            { "model.vocab", "[]", "model.vocab" },
            { "model.vocab", "{}", "model.merges" },
            { "model.vocab.!", "960", "model.vocab" }, // beyond vocab_size
            { "model.vocab.!", "-1", "model.vocab" },
            { "model.vocab.!", "1.5", "model.vocab" },
            { "model.vocab.!", "\"0\"", "model.vocab" },
            { "model.vocab.!", "1", "model.vocab" }, // the id of '"'
            { "model.merges", "null", "model.merges" },
            { "model.merges.0", "\"a\"", "model.merges" },
            { "model.merges.0", "\"a b c\"", "model.merges" },
            { "model.merges.0", """["a", "b", "c"]""", "model.merges" },
            { "model.merges.0", """["a", 1]""", "model.merges" },
            { "model.merges.0", """["a", "no such token"]""", "model.merges" },
            { "model.merges.0", """["s", "t"]""", "model.merges" }, // also the second
            { "pre_tokenizer", "null", "pre_tokenizer" },
            { "pre_tokenizer.type", "\"Metaspace\"", "pre_tokenizer.type" },
            { "pre_tokenizer.pretokenizers", "[]", "pre_tokenizer.pretokenizers" },
            { "pre_tokenizer.pretokenizers.0.type", "\"Digits\"", "pre_tokenizer.pretokenizers.type" },
            { "pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"", "pre_tokenizer.pretokenizers.behavior" },
            { "pre_tokenizer.pretokenizers.0.invert", "true", "pre_tokenizer.pretokenizers.invert" },
            {
                "pre_tokenizer.pretokenizers.0.pattern",
                """{"Regex": "("}""",
                "pre_tokenizer.pretokenizers.pattern.Regex"
            },
            { "pre_tokenizer.pretokenizers.0.pattern", "{}", "pre_tokenizer.pretokenizers.pattern.Regex" },
            {
                "pre_tokenizer.pretokenizers.0.pattern",
                $$"""{"Regex": "{{new string('a', 10_001)}}"}""",
                "pre_tokenizer.pretokenizers.pattern.Regex"
            },
            {
                "pre_tokenizer.pretokenizers.0.pattern",
                $$"""{"String": "{{new string('a', 10_001)}}"}""",
                "pre_tokenizer.pretokenizers.pattern.String"
            },
            { "pre_tokenizer.pretokenizers.1.use_regex", "true", "pre_tokenizer.pretokenizers" },
            {
                "pre_tokenizer.pretokenizers.1.add_prefix_space",
                "true",
                "pre_tokenizer.pretokenizers.add_prefix_space"
            },
            { "added_tokens", "{}", "added_tokens" },
            { "added_tokens.0", "1", "added_tokens" },
            { "added_tokens.0.content", "null", "added_tokens.content" },
            { "added_tokens.0.id", "960", "added_tokens.id" },
            { "added_tokens.0.id", "945", "added_tokens" }, // the id of the next
            { "added_tokens.0.content", "\"<|return|>\"", "added_tokens" },
            { "added_tokens.0.content", "\"\"", "added_tokens.content" },
            { "added_tokens.0.content", "\"!\"", "added_tokens" }, // an ordinary token with another id
            { "added_tokens.0", """{"id": 0, "content": "!"}""", "added_tokens" }, // text could make it
        };

    [Fact]
    public void The_tiny_models_29_prompts_have_the_ids_it_was_trained_with()
    {
        Tokenizer tokenizer = Tokenizer.ForFolder(
            Path.GetDirectoryName(TinyFile)!,
            VocabularySize,
            out _,
            TestContext.Current.CancellationToken
        )!;
        using JsonDocument golden = Vectors.Read("tiny-model", "golden.json");
        Assert.Equal(29, golden.RootElement.GetArrayLength());
        Assert.All(golden.RootElement.EnumerateArray(), c =>
        {
            string prompt = c.GetProperty("prompt").GetString()!;
            List<int> ids = SpecialSpellings.Encode(tokenizer, prompt);
            Assert.Equal(c.GetProperty("prompt_tokens").EnumerateArray().Select(id => id.GetInt32()), ids);
            Assert.Equal(prompt, tokenizer.Decode(ids));
            Assert.Equal(
                c.GetProperty("output").GetString(),
                tokenizer.Decode(c.GetProperty("output_tokens").EnumerateArray().Select(id => id.GetInt32()))
            );
        });
    }

    [Fact]
    public void Reading_ends_where_it_is_cancelled_and_not_as_a_damaged_file()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            TokenizerJson.Read("tokenizer.json", Tiny, VocabularySize, stop.Token)
        );
    }

    [Fact]
    public void Special_tokens_bear_the_files_names_and_padding_has_no_bytes()
    {
        Vocabulary vocabulary = Read(Tiny);
        Assert.Equal(9, vocabulary.Specials.Count);
        Assert.Equal(949, vocabulary.Specials["<|start|>"]);
        Assert.Equal("<|start|>"u8, vocabulary.Bytes[949]);
        Assert.Equal(VocabularySize, vocabulary.Bytes.Count);
        Assert.True(vocabulary.Bytes[953].IsEmpty);
        Assert.DoesNotContain(vocabulary.Encoder.Encode("<|start|>system<|message|>"), vocabulary.IsSpecial);
    }

    [Fact]
    public void Any_text_comes_back()
    {
        Vocabulary vocabulary = Read(Tiny);
        const string Text = "naïve 中文 🙂\u0000 𠀀 it's";
        Assert.Equal(
            Text,
            Encoding.UTF8.GetString([
                .. vocabulary.Encoder.Encode(Text).SelectMany(id => vocabulary.Bytes[id].ToArray()),
            ])
        );
    }

    [Fact]
    public void Merges_may_be_written_as_strings()
    {
        byte[] strings = Change(
            "model.merges",
            new JsonArray([
                .. Parsed()["model"]!["merges"]!.AsArray().Select(pair => JsonValue.Create($"{pair![0]} {pair[1]}")),
            ]).ToJsonString()
        );
        const string Text = "What is the weather in Lisbon? 345 + 678";
        Assert.Equal(Read(Tiny).Encoder.Encode(Text), Read(strings).Encoder.Encode(Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // no merge makes the token
    public void A_whole_piece_is_looked_up_only_when_the_file_says_so(bool ignoreMerges)
    {
        JsonNode root = Parsed();
        root["model"]!["vocab"]!["zqz"] = 959;
        root["model"]!["ignore_merges"] = ignoreMerges;
        Assert.Equal(ignoreMerges, Read(Utf8(root)).Encoder.Encode("zqz").SequenceEqual([959]));
    }

    [Fact]
    public void ByteLevel_alone_splits_by_the_pattern_of_gpt2()
    {
        // GPT-2 keeps digits together and cuts a contraction off: its pieces, each encoded without a split.
        byte[] file = Change("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": false}""");
        Vocabulary unsplit = Read(
            Change("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}""")
        );
        string[] pieces = ["An", " answer", "'s", " 1234", " and", "  ", " more"];
        string text = string.Concat(pieces);
        Assert.Equal(pieces.SelectMany(piece => unsplit.Encoder.Encode(piece)), Read(file).Encoder.Encode(text));
    }

    [Theory, MemberData(nameof(Changes))]
    public void A_file_that_cannot_be_honoured_is_refused_by_the_fields_name(string path, string value, string field)
    {
        var error = Assert.Throws<CheckpointException>(() => Read(Change(path, value)));
        Assert.Equal(field, error.FieldName);
        Assert.Equal("tokenizer.json", error.FilePath);
    }

    [Fact]
    public void A_vocabulary_that_lacks_a_byte_is_refused()
    {
        JsonNode root = Parsed();
        root["model"]!["merges"] = new JsonArray();
        root["model"]!["vocab"]!.AsObject().Remove("Ċ");
        var error = Assert.Throws<CheckpointException>(() => Read(Utf8(root)));
        Assert.Contains("0x0A", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"model\": {}, \"model\": {}}")]
    [InlineData("{\"model\": {\"type\": \"\\ud800\"}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"\\ud800\": 5}, \"merges\": []}}")]
    [InlineData("{\"x\": NaN, \"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": []}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"x\": NaN, \"merges\": []}}")]
    [InlineData("\ufeff{}")]
    public void What_is_not_a_json_object_is_refused(string json) =>
        Assert.Throws<CheckpointException>(() => Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void An_error_is_told_by_its_place_in_the_file()
    {
        string message = Assert.Throws<CheckpointException>(() => Read([.. Tiny, (byte)'x'])).Message;
        Assert.Contains($"at byte {Tiny.Length - Tiny.AsSpan().LastIndexOf((byte)'\n')}", message);
    }

    [Fact]
    [Promise(5)]
    public void A_file_cut_anywhere_is_refused()
    {
        int end = Tiny.AsSpan().LastIndexOf((byte)'}');
        for (int length = 0; length <= end; length += 97)
            Assert.Throws<CheckpointException>(() => Read(Tiny[..length]));
    }

    private static Vocabulary Read(byte[] json) => TokenizerJson.Read("tokenizer.json", json, VocabularySize);

    private static JsonNode Parsed() => JsonNode.Parse(Tiny)!;

    private static byte[] Utf8(JsonNode root) => Encoding.UTF8.GetBytes(root.ToJsonString());

    private static byte[] Change(string path, string value)
    {
        JsonNode root = Parsed(),
            at = root;
        string[] parts = path.Split('.');
        foreach (string part in parts[..^1])
            at = at is JsonArray list ? list[int.Parse(part)]! : at[part]!;
        if (at is JsonArray array)
            array[int.Parse(parts[^1])] = JsonNode.Parse(value);
        else
            at[parts[^1]] = JsonNode.Parse(value);
        return Utf8(root);
    }
}
