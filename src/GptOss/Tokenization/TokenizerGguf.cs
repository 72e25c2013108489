using System.Collections.ObjectModel;
using System.Text;
using System.Text.Unicode;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Tokenization;

/// <summary>Reads the byte-level BPE vocabulary out of the keys of a GGUF file.</summary>
/// <remarks>
/// Only the kind that gpt-oss has: <c>tokenizer.ggml.model</c> gpt2 with <c>pre</c> gpt-4o, whose pattern is that of
/// o200k. Tokens of the types 3 (control) and 4 (user defined) are special, so that no text becomes one. The bounds are
/// those of tokenizer.json. A model with another vocabulary, or a damaged one, still serves token ids: what is wrong is
/// told and not thrown.
/// </remarks>
internal sealed class TokenizerGguf
{
    private const string Start = "tokenizer.ggml.",
        TokensKey = Start + "tokens",
        MergesKey = Start + "merges",
        TypesKey = Start + "token_type";

    private const int Control = 3,
        UserDefined = 4,
        MostTokenBytes = 65_535,
        MostMerges = 1 << 24;

    private readonly GgufCheckpoint _file;
    private readonly int _vocabularySize;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<string, int> _ids;
    private readonly string[] _tokens;

    private TokenizerGguf(GgufCheckpoint file, int vocabularySize, CancellationToken cancellation)
    {
        (_file, _vocabularySize, _cancellation) = (file, vocabularySize, cancellation);
        _tokens = new string[vocabularySize];
        _ids = new Dictionary<string, int>(vocabularySize, StringComparer.Ordinal);
    }

    /// <summary>Reads the vocabulary; null where the file has none that this engine knows.</summary>
    /// <param name="file">The opened file of the model.</param>
    /// <param name="vocabularySize">Number of tokens that the model has.</param>
    /// <param name="whyNot">Says what is missing or wrong, as a sentence; empty where nothing is.</param>
    /// <param name="cancellation">Ends the reading early.</param>
    /// <exception cref="OperationCanceledException">The reading was cancelled: it ends soon after.</exception>
    public static Vocabulary? Read(
        GgufCheckpoint file,
        int vocabularySize,
        out string whyNot,
        CancellationToken cancellation
    )
    {
        try
        {
            whyNot = "";
            return new TokenizerGguf(file, vocabularySize, cancellation).Read();
        }
        catch (CheckpointException e)
        {
            whyNot = e.FieldName is { } key ? $"The key {key}: {e.Reason}" : e.Reason;
            return null;
        }
    }

    private Vocabulary Read()
    {
        RequireText("model", "gpt2");
        RequireText("pre", "gpt-4o");
        ReadTokens();
        HashSet<int> special = ReadSpecials();
        RanksByPair merges = ReadMerges(special);
        int[] byteTokens = new int[256];
        for (int b = 0; b < 256; b++)
            byteTokens[b] =
                _ids.TryGetValue(ByteAlphabet.Letter((byte)b).ToString(), out int id) && !special.Contains(id)
                    ? id
                    : throw Wrong(TokensKey, "a token for every byte", $"none for 0x{b:X2}");

        var bytes = new TokenBytes.Builder(_vocabularySize, bytesExpected: 8 * _vocabularySize);
        for (int id = 0; id < _tokens.Length; id++)
            bytes.Add(special.Contains(id) ? Encoding.UTF8.GetBytes(_tokens[id]) : ByteAlphabet.ToBytes(_tokens[id]));
        var names = special.ToDictionary(id => _tokens[id]);
        var encoder = new BytePairEncoder(TextSplitter.O200k, merges, byteTokens, whole: null);
        return new Vocabulary(encoder, bytes.Build(), new ReadOnlyDictionary<string, int>(names));
    }

    private void RequireText(string name, string expected)
    {
        string? found = _file.Keys.OptionalText(Start + name);
        if (found != expected)
            throw Wrong(Start + name, $"'{expected}'", found is null ? "no such key" : JsonFields.Quoted(found));
    }

    private void ReadTokens()
    {
        GgufReader reader = Array(TokensKey, GgufType.String, _vocabularySize, out long count);
        if (count != _vocabularySize)
            throw Wrong(TokensKey, $"{_vocabularySize} tokens", $"{count}");
        for (int id = 0; id < _tokens.Length; id++)
        {
            string token = Text(reader, TokensKey);
            if (!_ids.TryAdd(token, id))
                throw Wrong(TokensKey, "tokens that differ", $"{JsonFields.Quoted(token)} twice");
            _tokens[id] = token;
        }
    }

    private HashSet<int> ReadSpecials()
    {
        GgufReader reader = Array(TypesKey, GgufType.Int32, _vocabularySize, out long count);
        if (count != _vocabularySize)
            throw Wrong(TypesKey, $"{_vocabularySize} numbers", $"{count}");
        var special = new HashSet<int>();
        for (int id = 0; id < _vocabularySize; id++)
            if (reader.UInt32() is Control or UserDefined)
                special.Add(id);
        return special;
    }

    private RanksByPair ReadMerges(HashSet<int> special)
    {
        GgufReader reader = Array(MergesKey, GgufType.String, MostMerges, out long count);
        var ranks = new Dictionary<(int, int), int>((int)count);
        int[] made = new int[count];
        for (int rank = 0; rank < made.Length; rank++)
        {
            _cancellation.ThrowIfCancellationRequested();
            string pair = Text(reader, MergesKey);
            int space = pair.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0 || pair.IndexOf(' ', space + 1) >= 0)
                throw Wrong(MergesKey, "'a b'", JsonFields.Quoted(pair));
            (string left, string right) = (pair[..space], pair[(space + 1)..]);
            if (!ranks.TryAdd((Known(left), Known(right)), rank))
                throw Wrong(MergesKey, "pairs that differ", $"{JsonFields.Quoted(pair)} twice");
            made[rank] = Known(left + right);
        }
        return new RanksByPair(ranks, made);

        int Known(string token) =>
            _ids.TryGetValue(token, out int id) && !special.Contains(id)
                ? id
                : throw Wrong(MergesKey, "tokens of the vocabulary", JsonFields.Quoted(token));
    }

    private GgufReader Array(string key, GgufType inner, int most, out long count)
    {
        if (_file.Keys[key] is not { } value)
            throw _file.Keys.Missing(key, "an array");
        if (value.Type != GgufType.Array || value.Inner != inner)
            throw Wrong(
                key,
                inner == GgufType.String ? "an array of strings" : "an array of 32-bit numbers",
                value.Type == GgufType.Array ? "another array" : value.Type.Describe()
            );
        if (value.Count > most)
            throw Wrong(key, $"at most {most} elements", $"{value.Count}");
        count = value.Count;
        return _file.First.ReaderAt(value.Position);
    }

    private string Text(GgufReader reader, string key)
    {
        byte[] bytes = new byte[reader.StringLength($"A text of the key {key}", MostTokenBytes)];
        reader.Copy(bytes);
        return bytes.Length > 0 && Utf8.IsValid(bytes)
            ? Encoding.UTF8.GetString(bytes)
            : throw Wrong(key, "text in UTF-8", bytes.Length == 0 ? "an empty string" : "other bytes");
    }

    private CheckpointException Wrong(string key, string expected, string found) =>
        _file.Keys.Wrong(key, expected, found);
}
