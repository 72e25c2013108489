namespace GptOss.Tests.OddFolders;

/// <summary>tokenizer.json: what would give other tokens, or none, is refused by its field.</summary>
internal static class TokenizerCases
{
    private const string File = "tokenizer.json";

    private static readonly (string Field, string Value, string[] Words)[] Values =
    [
        ("model", "null", ["'model'", "an object, found null"]),
        ("model", "[]", ["'model'", "an object, found an array"]),
        ("model.type", "\"WordPiece\"", ["'model.type'", "expected 'BPE', found 'WordPiece'"]),
        ("model.type", "1", ["'model.type'", "a string, found 1"]),
        ("model.vocab", "null", ["'model.vocab'", "an object, found null"]),
        ("model.vocab", "[]", ["'model.vocab'", "an object, found an array"]),
        ("model.vocab", "{\"a\":0}", ["'model.merges'", "tokens of model.vocab"]),
        ("model.vocab.!", "960", ["'model.vocab'", "an id from 0 to 959 for '!'", "960"]),
        ("model.vocab.!", "-1", ["'model.vocab'", "an id from 0 to 959 for '!'", "-1"]),
        ("model.vocab.!", "0.5", ["'model.vocab'", "an id from 0 to 959 for '!'", "0.5"]),
        ("model.vocab.!", "4294967296", ["'model.vocab'", "an id from 0 to 959 for '!'", "4294967296"]),
        ("model.vocab.!", "null", ["'model.vocab'", "an id from 0 to 959 for '!'", "null"]),
        ("model.vocab.!", "\"0\"", ["'model.vocab'", "an id from 0 to 959 for '!'", "\"0\""]),
        ("model.vocab.!", "7", ["'model.vocab'", "ids that differ", "'!'"]),
        ("model.vocab.!", "0,\"!\":0", ["model.vocab", "once, found twice"]),
        ("model.merges", "{}", ["'model.merges'", "an array, found an object"]),
        ("model.merges", "null", ["'model.merges'", "an array, found n"]),
        ("model.merges.5", "\"ab\"", ["'model.merges'", "\"a b\" or [\"a\", \"b\"], found \"ab\""]),
        ("model.merges.5", "7", ["'model.merges'", "found 7"]),
        ("model.merges.5", "[\"a\"]", ["'model.merges'", "found [\"a\"]"]),
        ("model.merges.5", "\"zz zz\"", ["'model.merges'", "tokens of model.vocab, found 'zz"]),
        ("model.merges.5", "\"\\ud800 a\"", ["tokenizer.json", "not Unicode text"]),
        ("model.byte_fallback", "true", ["'model.byte_fallback'", "false, found true"]),
        ("model.dropout", "0.1", ["'model.dropout'", "null, found 0.1"]),
        ("model.unk_token", "1e999", ["a finite number, found 1e999"]),
        ("model.end_of_word_suffix", "\"</w>\"", ["'model.end_of_word_suffix'", "null, found '</w>'"]),
        ("normalizer", "{\"type\":\"NFC\"}", ["'normalizer'", "null, found an object"]),
        ("decoder", "{\"type\":\"Metaspace\"}", ["'decoder.type'", "'ByteLevel', found 'Metaspace'"]),
        ("pre_tokenizer", "null", ["'pre_tokenizer'", "an object, found null"]),
        ("pre_tokenizer", "{\"type\":\"Whitespace\"}", ["'pre_tokenizer.type'", "'ByteLevel', found 'Whitespace'"]),
        ("pre_tokenizer.pretokenizers", "[]", ["pre_tokenizer.pretokenizers", "found 0 steps"]),
        ("pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"", ["behavior", "'Isolated', found 'Removed'"]),
        (
            "pre_tokenizer.pretokenizers.0.pattern",
            "{\"Regex\":\"(\"}",
            ["pattern.Regex", "a regex that .NET understands"]
        ),
        ("added_tokens", "{}", ["'added_tokens'", "an array of objects, found an object"]),
        ("added_tokens.0.id", "960", ["'added_tokens.id'", "0 to 959, found 960"]),
        ("added_tokens.0.id", "945", ["'added_tokens'", "id 945"]),
        ("added_tokens.0.content", "null", ["'added_tokens.content'", "a string, found null"]),
        ("added_tokens.0.content", "\"\"", ["'added_tokens.content'", "a name, found ''"]),
        ("added_tokens.3.content", "\"<|x|>\"", ["It is the tokenizer of another model"]),
        ("added_tokens", "[]", ["It is the tokenizer of another model"]),
    ];

    public static IEnumerable<OddCase> All =>
        [
            .. from sound in (OddBase[])[OddBase.HuggingFace, OddBase.Original]
            from one in Values.Where((_, i) => sound == OddBase.HuggingFace || i % 8 == 0)
            select new OddCase(
                $"tokenizer, {sound.Name}: {one.Field} {one.Value}",
                sound,
                f => f.Set(File, one.Field, one.Value),
                [File, .. one.Words]
            ),
            Of("empty", f => f.Write(File, ""), "has 0 bytes"),
            Of("an empty object", f => f.Write(File, "{}"), "'model'", "an object, found nothing"),
            Of("cut off", f => f.Text(File, text => text[..(text.Length / 2)]), "expected JSON"),
            Of(
                "a pointer of Git LFS",
                f => f.Write(File, "version https://git-lfs.github.com/spec/v1\n"),
                "Git LFS pointer"
            ),
            Of("a page", f => f.Write(File, "<!doctype html>"), "a web page"),
            Of("NaN in it", f => f.Set(File, "x", "NaN"), "NaN or Infinity"),
            Of("deep", f => f.Set(File, "x", new string('[', 100_000)), "JSON of at most 64 levels"),
            Of(
                "of 17 MB beside its lists",
                f => f.Set(File, "x", $"\"{new string('y', 17 << 20)}\""),
                "bytes beside model.vocab and model.merges",
                "at most 16777216 there"
            ),
            Of("of too many values", f => f.Set(File, "x", Zeros), "holds more than 2000000 names and values"),
            Of(
                "of too many values and cut off",
                f => f.Text(File, text => text[..^1] + ",\"x\":" + Zeros + new string(' ', 17 << 20)),
                "expected JSON",
                "an error in line 1"
            ),
            Of(
                "of a token of 2 MB",
                f => f.Text(File, text => text.Replace("\"!\"", $"\"{Long}\"")),
                "'model.vocab'",
                "one of 2097152"
            ),
            Of(
                "of a merge of 2 MB",
                f => f.Set(File, "model.merges.5", $"\"a {Long}\""),
                "'model.merges'",
                "one of 2097154"
            ),
            Of("a folder", Folder, "is a folder, but should be a file"),
            Of("missing", f => f.Delete(File), "There is no tokenizer.json", "960"),
        ];

    private static string Long => new('x', 2 << 20);

    private static string Zeros => $"[{string.Join(',', Enumerable.Repeat('0', 2_000_000))}]";

    private static OddCase Of(string name, Action<OddFolder> make, params string[] words) =>
        new($"tokenizer: {name}", OddBase.HuggingFace, make, [File, .. words]);

    private static void Folder(OddFolder f)
    {
        f.Delete(File);
        Directory.CreateDirectory(f.At(File));
    }
}
