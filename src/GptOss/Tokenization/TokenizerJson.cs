using System.Collections.ObjectModel;
using System.Text;
using System.Text.Json;
using GptOss.Checkpoint;

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

    /// <summary>The longest text of a token or a merge; the longest token of gpt-oss has 128 bytes.</summary>
    private const int LimitTextBytes = 1 << 20;

    private const int ShownBytes = 1000; // of what a message shows the first 80 characters

    private readonly JsonFields _root;
    private readonly JsonFields _model;
    private readonly int _vocabularySize;
    private readonly string?[] _tokens;

    private readonly LongParts _long;
    private readonly CancellationToken _cancellation;

    private TokenizerJson(JsonFields root, LongParts longParts, int vocabularySize, CancellationToken cancellation)
    {
        _long = longParts;
        _cancellation = cancellation;
        _root = root;
        _model = root.Object("model");
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
        ReadOnlyMemory<byte> text = JsonFields.WithoutMark(content);
        var parts = LongParts.Of(text);
        if (parts.RestBytes > JsonFields.MaxBytes)
            throw new CheckpointException(
                file,
                $"has {parts.RestBytes} bytes beside model.vocab and model.merges, but should have at most "
                    + $"{JsonFields.MaxBytes} there."
            );
        JsonFields root = JsonFields.Parse(parts.Rest ?? text, file, cancellation);
        if (parts.Rest is null)
            throw new CheckpointException(
                file,
                "expected JSON, found NaN or Infinity, which only Python takes for JSON."
            );
        try
        {
            return new TokenizerJson(root, parts, vocabularySize, cancellation).Read();
        }
        catch (InvalidOperationException e)
        {
            // Utf8JsonReader.GetString and CopyString, on an escaped surrogate without its partner.
            throw new CheckpointException(
                file,
                "expected JSON in UTF-8, found a token or a merge that is not Unicode text.",
                fieldName: "model",
                inner: e
            );
        }
    }

    private Vocabulary Read()
    {
        RequireSupported();
        Dictionary<string, int> vocab = ReadVocab();
        RanksByPair merges = ReadMerges(vocab, out HashSet<int> fromText);
        bool wholePieces = _model.OptionalBoolean("ignore_merges") ?? false;

        int[] byteTokens = new int[256];
        for (int b = 0; b < 256; b++)
        {
            string letter = ByteAlphabet.Letter((byte)b).ToString();
            if (!vocab.TryGetValue(letter, out byteTokens[b]))
                throw _model.Wrong("vocab", "a token for every byte", $"none for 0x{b:X2}");
            fromText.Add(byteTokens[b]);
        }
        Dictionary<string, int> specials = ReadAddedTokens(vocab, fromText);

        TokenBytes tokenBytes = Bytes(specials);
        HashSet<int> special = [.. specials.Values];
        TokenIndex? whole = wholePieces ? new TokenIndex(tokenBytes, _vocabularySize, special) : null;
        var encoder = new BytePairEncoder(SplitterJson.Read(_root), merges, byteTokens, whole);
        return new Vocabulary(encoder, tokenBytes, new ReadOnlyDictionary<string, int>(specials));
    }

    private void RequireSupported()
    {
        _root.RequireNothing("normalizer");
        _model.RequireText("type", "BPE");
        _model.RequireNothing("continuing_subword_prefix");
        _model.RequireNothing("end_of_word_suffix");
        _model.RequireNothing("dropout");
        if (_model.OptionalBoolean("byte_fallback") == true)
            throw _model.Wrong("byte_fallback", "false", "true");
        _root.OptionalObject("decoder")?.RequireText("type", "ByteLevel");
    }

    private Dictionary<string, int> ReadVocab()
    {
        _model.Object("vocab");
        var vocab = new Dictionary<string, int>(_vocabularySize);
        var reader = new Utf8JsonReader(_long.Vocab.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            _cancellation.ThrowIfCancellationRequested();
            RequireShort("vocab", reader);
            string name = reader.GetString()!;
            reader.Read();
            int id =
                reader.TokenType == JsonTokenType.Number
                && reader.TryGetInt32(out int number)
                && number >= 0
                && number < _vocabularySize
                    ? number
                    : throw _model.Wrong(
                        "vocab",
                        $"an id from 0 to {_vocabularySize - 1} for {JsonFields.Quoted(name)}",
                        Printable.Name(Raw(ref reader, _long.Vocab))
                    );
            if (!vocab.TryAdd(name, id))
                throw _model.Wrong($"vocab.{name}", "once", "twice");
            if (_tokens[id] is string other)
            {
                throw _model.Wrong(
                    "vocab",
                    "ids that differ",
                    $"{id} for {JsonFields.Quoted(other)} and for {JsonFields.Quoted(name)}"
                );
            }
            _tokens[id] = name;
        }
        return vocab;
    }

    private RanksByPair ReadMerges(Dictionary<string, int> vocab, out HashSet<int> made)
    {
        _model.RequireArray("merges");
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
                throw _model.Wrong(
                    "merges",
                    "pairs that differ",
                    $"{JsonFields.Quoted($"{both[..left]} {both[left..]}")} twice"
                );
            }
            tokens.Add(Known(both));
        }
        made = [.. tokens];
        return new RanksByPair(ranks, [.. tokens]);

        int Known(ReadOnlySpan<char> token) =>
            known.TryGetValue(token, out int id)
                ? id
                : throw _model.Wrong("merges", "tokens of model.vocab", JsonFields.Quoted(token.ToString()));
    }

    /// <summary>
    /// Puts both halves of a merge behind each other into the buffer; returns the length of the first and of both.
    /// </summary>
    private (int Left, int Length) Pair(ref Utf8JsonReader reader, ref char[] pair)
    {
        Utf8JsonReader whole = reader;
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
        throw _model.Wrong("merges", "\"a b\" or [\"a\", \"b\"]", Printable.Name(Raw(ref whole, _long.Merges)));

        int Copy(ref Utf8JsonReader reader, ref char[] buffer, int at)
        {
            RequireShort("merges", reader);
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
        int bytes = Math.Min((int)reader.BytesConsumed - start, ShownBytes);
        return Encoding.UTF8.GetString(json.Span.Slice(start, bytes));
    }

    // Before the text is made: it has two bytes for each of the file's.
    private void RequireShort(string list, Utf8JsonReader text)
    {
        if (text.ValueSpan.Length is var bytes && bytes > LimitTextBytes)
            throw _model.Wrong(list, $"texts of at most {LimitTextBytes} bytes", $"one of {bytes}");
    }

    private Dictionary<string, int> ReadAddedTokens(Dictionary<string, int> vocab, HashSet<int> fromText)
    {
        var specials = new Dictionary<string, int>();
        foreach (JsonFields token in _root.OptionalObjects("added_tokens") ?? [])
        {
            string name = token.Text("content"),
                quoted = JsonFields.Quoted(name);
            int id = token.Int32("id", 0, _vocabularySize - 1);
            if (vocab.TryGetValue(name, out int other) ? other != id : _tokens[id] is not null)
            {
                throw _root.Wrong(
                    "added_tokens",
                    "what model.vocab and the other added tokens say",
                    $"id {id} for {quoted}"
                );
            }
            if (fromText.Contains(id))
                throw _root.Wrong("added_tokens", "tokens that no text makes", $"{quoted} (id {id})");
            if (name.Length == 0)
                throw token.Wrong("content", "a name", quoted);
            if (!specials.TryAdd(name, id))
                throw _root.Wrong("added_tokens", "names that differ", $"{quoted} twice");
            _tokens[id] = name;
        }
        return specials;
    }

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
}
