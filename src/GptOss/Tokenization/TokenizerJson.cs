using System.Collections.ObjectModel;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace GptOss.Tokenization;

/// <summary>Reads a byte-level BPE vocabulary out of a Hugging Face <c>tokenizer.json</c>.</summary>
/// <remarks>
/// Honoured: <c>model</c> (BPE: vocab, merges as <c>"a b"</c> or <c>["a", "b"]</c>, ignore_merges),
/// <c>pre_tokenizer</c> (ByteLevel, alone or after one Split), <c>added_tokens</c>. Every added token counts as
/// special, so that text never becomes one; a file in which it could is refused. Without effect here, since they shape
/// batches or add tokens around a text: truncation, padding, post_processor. Whatever else would change ids is refused.
/// </remarks>
internal sealed class TokenizerJson
{
    /// <summary>The largest file that is read; the published one of gpt-oss has 28 MB.</summary>
    public const int LimitBytes = 256 << 20;

    private readonly JsonFields _json;
    private readonly int _vocabularySize;
    private readonly string?[] _tokens;

    private readonly LongParts _long;
    private readonly CancellationToken _cancellation;

    private TokenizerJson(JsonFields json, LongParts longParts, int vocabularySize, CancellationToken cancellation)
    {
        _long = longParts;
        _cancellation = cancellation;
        _json = json;
        _vocabularySize = vocabularySize;
        _tokens = new string?[vocabularySize];
    }

    /// <exception cref="CheckpointException">
    /// The file is damaged or needs what is not implemented; names the file and the field.
    /// </exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled: it ends soon after.</exception>
    public static Vocabulary Read(
        string file,
        byte[] content,
        int vocabularySize,
        CancellationToken cancellation = default
    )
    {
        var parts = LongParts.Of(content);
        return JsonFields.Parse(
            file,
            parts.Rest ?? content,
            (json, root) => new TokenizerJson(json, parts, vocabularySize, cancellation).Read(root),
            cancellation
        );
    }

    private Vocabulary Read(JsonElement root)
    {
        JsonElement model = _json.Object(root, "model");
        RequireSupported(root, model);
        Dictionary<string, int> vocab = ReadVocab(model);
        RanksByPair merges = ReadMerges(model, vocab, out HashSet<int> fromText);
        bool wholePieces = _json.Flag(model, "model.ignore_merges", missing: false);

        int[] byteTokens = new int[256];
        for (int b = 0; b < 256; b++)
        {
            string letter = ByteAlphabet.Letter((byte)b).ToString();
            if (!vocab.TryGetValue(letter, out byteTokens[b]))
                throw _json.Error("model.vocab", $"expected a token for every byte, found none for 0x{b:X2}.");
            fromText.Add(byteTokens[b]);
        }
        Dictionary<string, int> specials = ReadAddedTokens(root, vocab, fromText);

        TokenBytes tokenBytes = Bytes(specials);
        HashSet<int> special = [.. specials.Values];
        TokenIndex? whole = wholePieces ? new TokenIndex(tokenBytes, _vocabularySize, special) : null;
        var encoder = new BytePairEncoder(ReadSplitter(root), merges, byteTokens, whole);
        return new Vocabulary(encoder, tokenBytes, new ReadOnlyDictionary<string, int>(specials));
    }

    private void RequireSupported(JsonElement root, JsonElement model)
    {
        _json.RequireNothing(root, "normalizer");
        _json.RequireText(model, "model.type", "BPE");
        _json.RequireNothing(model, "model.continuing_subword_prefix");
        _json.RequireNothing(model, "model.end_of_word_suffix");
        _json.RequireNothing(model, "model.dropout");
        if (_json.Flag(model, "model.byte_fallback", missing: false))
            throw _json.Error("model.byte_fallback", "expected false, found true.");
        if (_json.Optional(root, "decoder") is JsonElement decoder)
            _json.RequireText(decoder, "decoder.type", "ByteLevel");
    }

    private Dictionary<string, int> ReadVocab(JsonElement model)
    {
        _json.Object(model, "model.vocab");
        var vocab = new Dictionary<string, int>(_vocabularySize);
        var reader = new Utf8JsonReader(_long.Vocab.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            _cancellation.ThrowIfCancellationRequested();
            string name = reader.GetString()!;
            reader.Read();
            int id =
                reader.TokenType == JsonTokenType.Number
                && reader.TryGetInt32(out int number)
                && number >= 0
                && number < _vocabularySize
                    ? number
                    : throw NoId("model.vocab", Raw(ref reader, _long.Vocab));
            if (!vocab.TryAdd(name, id))
                throw _json.Error($"model.vocab.{name}", "occurs twice.");
            if (_tokens[id] is string other)
            {
                throw _json.Error(
                    "model.vocab",
                    $"expected ids that differ, found {id} for {Quoted(other)} and for {Quoted(name)}."
                );
            }
            _tokens[id] = name;
        }
        return vocab;
    }

    private RanksByPair ReadMerges(JsonElement model, Dictionary<string, int> vocab, out HashSet<int> made)
    {
        _json.Array(model, "model.merges");
        var ranks = new Dictionary<(int, int), int>(vocab.Count);
        var tokens = new List<int>(vocab.Count);
        var known = vocab.GetAlternateLookup<ReadOnlySpan<char>>();
        var reader = new Utf8JsonReader(_long.Merges.Span);
        char[] pair = [];
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            _cancellation.ThrowIfCancellationRequested();
            (int left, int length) = Pair(ref reader, ref pair);
            ReadOnlySpan<char> both = pair.AsSpan(0, length);
            if (!ranks.TryAdd((Known(both[..left]), Known(both[left..])), tokens.Count))
            {
                throw _json.Error(
                    "model.merges",
                    $"expected pairs that differ, found {Quoted(both[..left].ToString())} and "
                        + $"{Quoted(both[left..].ToString())} twice."
                );
            }
            tokens.Add(Known(both));
        }
        made = [.. tokens];
        return new RanksByPair(ranks, [.. tokens]);

        int Known(ReadOnlySpan<char> token) =>
            known.TryGetValue(token, out int id)
                ? id
                : throw _json.Error(
                    "model.merges",
                    $"expected tokens of model.vocab, found {Quoted(token.ToString())}."
                );
    }

    /// <summary>
    /// Puts both halves of a merge behind each other into the buffer; returns the length of the first and of both.
    /// </summary>
    private (int Left, int Length) Pair(ref Utf8JsonReader reader, ref char[] pair)
    {
        long start = reader.TokenStartIndex;
        if (reader.TokenType == JsonTokenType.String)
        {
            int length = Copy(ref reader, ref pair, 0);
            int left = pair.AsSpan(0, length).IndexOf(' ');
            if (left >= 0 && pair.AsSpan(left + 1, length - left - 1).IndexOf(' ') < 0)
            {
                pair.AsSpan(left + 1, length - left - 1).CopyTo(pair.AsSpan(left));
                return (left, length - 1);
            }
        }
        else if (
            reader.TokenType == JsonTokenType.StartArray
            && reader.Read()
            && reader.TokenType == JsonTokenType.String
        )
        {
            int left = Copy(ref reader, ref pair, 0);
            if (reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                int length = Copy(ref reader, ref pair, left);
                if (reader.Read() && reader.TokenType == JsonTokenType.EndArray)
                    return (left, length);
            }
        }
        ReadOnlySpan<byte> raw = _long.Merges.Span[(int)start..];
        throw _json.Error(
            "model.merges",
            "expected \"a b\" or [\"a\", \"b\"], found "
                + $"{Printable.Name(Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, 80)]))}."
        );

        static int Copy(ref Utf8JsonReader reader, ref char[] buffer, int at)
        {
            // No character has fewer bytes than UTF-16 units.
            int most = at + reader.ValueSpan.Length;
            if (buffer.Length < most)
                System.Array.Resize(ref buffer, Math.Max(most, 2 * buffer.Length));
            return at + reader.CopyString(buffer.AsSpan(at));
        }
    }

    private static string Raw(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return Encoding.UTF8.GetString(json.Span[start..(int)reader.BytesConsumed]);
    }

    private Dictionary<string, int> ReadAddedTokens(
        JsonElement root,
        Dictionary<string, int> vocab,
        HashSet<int> fromText
    )
    {
        var specials = new Dictionary<string, int>();
        if (_json.Optional(root, "added_tokens") is null)
            return specials;
        foreach (JsonElement token in _json.Array(root, "added_tokens").EnumerateArray())
        {
            string name = _json.Text(token, "added_tokens.content");
            int id = Id(_json.Required(token, "added_tokens.id"), "added_tokens.id");
            if (vocab.TryGetValue(name, out int other) ? other != id : _tokens[id] is not null)
            {
                throw _json.Error(
                    "added_tokens",
                    $"id {id} of {Quoted(name)} contradicts model.vocab or another added token."
                );
            }
            if (fromText.Contains(id))
                throw _json.Error("added_tokens", $"{Quoted(name)} (id {id}) can also be made out of text.");
            if (name.Length == 0 || !specials.TryAdd(name, id))
                throw _json.Error("added_tokens", $"expected names that differ, found {Quoted(name)} empty or twice.");
            _tokens[id] = name;
        }
        return specials;
    }

    private int Id(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0 && id < _vocabularySize
            ? id
            : throw NoId(field, value.GetRawText());

    private CheckpointException NoId(string field, string found) =>
        _json.Error(field, $"expected an id from 0 to {_vocabularySize - 1}, found {Printable.Name(found)}.");

    private static string Quoted(string name) => $"'{Printable.Name(name)}'";

    private TokenBytes Bytes(Dictionary<string, int> specials)
    {
        var builder = new TokenBytes.Builder(_vocabularySize, bytesExpected: 8 * _vocabularySize);
        foreach (string? token in _tokens)
        {
            builder.Add(
                token is null ? []
                : specials.ContainsKey(token) ? Encoding.UTF8.GetBytes(token)
                : ByteAlphabet.ToBytes(token)
            );
        }
        return builder.Build();
    }

    private TextSplitter ReadSplitter(JsonElement root)
    {
        JsonElement steps = _json.Object(root, "pre_tokenizer");
        if (_json.Text(steps, "pre_tokenizer.type") != "Sequence")
            return ByteLevel(steps);
        JsonElement list = _json.Array(steps, "pre_tokenizer.pretokenizers");
        if (list.GetArrayLength() == 1)
            return ByteLevel(list[0]);
        if (list.GetArrayLength() == 2 && ByteLevel(list[1]) == TextSplitter.None)
            return Split(list[0]);
        throw _json.Error(
            "pre_tokenizer.pretokenizers",
            "expected a Split step, then a ByteLevel step with use_regex false."
        );
    }

    private TextSplitter ByteLevel(JsonElement step)
    {
        _json.RequireText(step, "pre_tokenizer.type", "ByteLevel");
        if (_json.Flag(step, "pre_tokenizer.add_prefix_space", missing: true))
        {
            throw _json.Error(
                "pre_tokenizer.add_prefix_space",
                "expected false, found true: decoding would not give the text back."
            );
        }
        return _json.Flag(step, "pre_tokenizer.use_regex", missing: true) ? TextSplitter.Gpt2 : TextSplitter.None;
    }

    private TextSplitter Split(JsonElement step)
    {
        _json.RequireText(step, "pre_tokenizer.type", "Split");
        _json.RequireText(step, "pre_tokenizer.behavior", "Isolated");
        if (_json.Flag(step, "pre_tokenizer.invert", missing: false))
            throw _json.Error("pre_tokenizer.invert", "expected false, found true.");
        JsonElement pattern = _json.Object(step, "pre_tokenizer.pattern");
        string regex = _json.Optional(pattern, "pre_tokenizer.pattern.String") is not null
            ? Regex.Escape(_json.Text(pattern, "pre_tokenizer.pattern.String"))
            : _json.Text(pattern, "pre_tokenizer.pattern.Regex");
        if (regex.Length > TextSplitter.LongestPattern)
        {
            throw _json.Error(
                "pre_tokenizer.pattern.Regex",
                $"expected at most {TextSplitter.LongestPattern} characters, found {regex.Length}."
            );
        }
        try
        {
            return TextSplitter.For(regex, _json.File);
        }
        catch (RegexParseException e)
        {
            throw _json.Error("pre_tokenizer.pattern.Regex", $"expected a regex that .NET understands: {e.Message}", e);
        }
    }
}
