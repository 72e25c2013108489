using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Tokenization;

/// <summary>Turns text into token ids and back. Immutable and thread-safe.</summary>
/// <remarks>
/// Text is only ever text: <see cref="Encode"/> makes no special token, whatever the text spells. Special tokens are
/// placed by id, out of <see cref="SpecialTokens"/>. Time grows as n log n with the length of any text, also of one
/// without a space in it.
/// </remarks>
internal sealed class Tokenizer
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Lazy<Vocabulary> _vocabulary;

    private Tokenizer(int vocabularySize, Lazy<Vocabulary> vocabulary)
    {
        VocabularySize = vocabularySize;
        _vocabulary = vocabulary;
    }

    /// <summary>
    /// The vocabulary of gpt-oss-20b and gpt-oss-120b, built in. Its tables are made at the first use of a member that
    /// needs them.
    /// </summary>
    public static Tokenizer O200kHarmony { get; } =
        new(Tokenization.O200kHarmony.VocabularySize, new Lazy<Vocabulary>(Tokenization.O200kHarmony.Load));

    /// <summary>Ids run from 0 to <c>VocabularySize - 1</c>.</summary>
    public int VocabularySize { get; }

    /// <summary>The id of each token that stands for no text, by its name, such as <c>&lt;|start|&gt;</c>.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokens => _vocabulary.Value.Specials;

    /// <summary>The bytes that each id stands for, for those who decode step by step.</summary>
    internal TokenBytes Bytes => _vocabulary.Value.Bytes;

    /// <summary>
    /// The tokenizer of a model folder: the built-in one if the model's <c>vocab_size</c> is 201,088, else the folder's
    /// <c>tokenizer.json</c>.
    /// </summary>
    /// <returns>Null if the folder has none; <paramref name="whyNot"/> then says so in words.</returns>
    /// <exception cref="CheckpointException">
    /// The <c>tokenizer.json</c> is damaged or of a kind that is not implemented.
    /// </exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    internal static Tokenizer? ForFolder(
        string folder,
        int vocabularySize,
        out string? whyNot,
        CancellationToken cancellation = default
    )
    {
        whyNot = null;
        if (vocabularySize == Tokenization.O200kHarmony.VocabularySize)
            return O200kHarmony;
        string file = Path.Combine(folder, "tokenizer.json");
        if (FilesInMemory.Exists(file) || new FileInfo(file).LinkTarget is not null)
        {
            byte[] content = RegularFile.ReadAll(file, maximumBytes: TokenizerJson.LimitBytes);
            // A tokenizer is long, what a server sends in its place is short.
            if (
                content.Length < 4096
                && FileLook.DescribeObject(JsonFields.Parse(content, file, cancellation).Names) is { } found
            )
                throw new CheckpointException(file, found);
            return new Tokenizer(
                vocabularySize,
                new Lazy<Vocabulary>(TokenizerJson.Read(file, content, vocabularySize, cancellation))
            );
        }
        whyNot =
            $"There is no tokenizer.json, and the model's vocab_size of {vocabularySize:N0} is not the "
            + $"{Tokenization.O200kHarmony.VocabularySize:N0} of the built-in o200k_harmony: "
            + "text is not possible, token ids are.";
        return null;
    }

    /// <summary>
    /// The tokenizer of a GGUF file: the built-in one if the model has 201,088 tokens, else that of the file's keys.
    /// </summary>
    /// <returns>Null if the file has none that is known; <paramref name="whyNot"/> then says so in words.</returns>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    internal static Tokenizer? ForGguf(
        GgufCheckpoint file,
        int vocabularySize,
        out string? whyNot,
        CancellationToken cancellation = default
    )
    {
        whyNot = null;
        if (vocabularySize == Tokenization.O200kHarmony.VocabularySize)
            return O200kHarmony;
        if (TokenizerGguf.Read(file, vocabularySize, out string missing, cancellation) is { } vocabulary)
            return new Tokenizer(vocabularySize, new Lazy<Vocabulary>(vocabulary));
        whyNot =
            $"The model has {vocabularySize:N0} tokens and not the "
            + $"{Tokenization.O200kHarmony.VocabularySize:N0} of the built-in o200k_harmony, and its own tokenizer is "
            + $"not one that is read. {missing} Text is not possible, token ids are.";
        return null;
    }

    /// <summary>The ids of a text, none of them special. A lone surrogate is encoded as U+FFFD.</summary>
    /// <exception cref="CheckpointException">
    /// The pattern in the folder's <c>tokenizer.json</c> takes too long on this text.
    /// </exception>
    public IReadOnlyList<int> Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _vocabulary.Value.Encoder.Encode(text);
    }

    /// <inheritdoc cref="Encode"/>
    /// <exception cref="OperationCanceledException">The encoding was cancelled: it ends soon after, whatever the
    /// text.</exception>
    internal List<int> EncodeCancellable(string text, CancellationToken cancellation) =>
        _vocabulary.Value.Encoder.EncodeCancellable(text, cancellation);

    /// <summary>
    /// How many tokens these texts have at the least: their UTF-8 bytes by those of the longest token. Known without
    /// encoding.
    /// </summary>
    internal long FewestTokens(IEnumerable<string> texts)
    {
        int longest = Bytes.Longest;
        return texts.Sum(text => ((long)Utf8.GetByteCount(text) + longest - 1) / longest);
    }

    /// <summary>The text of the tokens. Special ones give their names; bytes that are not UTF-8 give U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        TokenBytes tokenBytes = Bytes;
        var bytes = new ArrayBufferWriter<byte>(256);
        foreach (int token in tokens)
            bytes.Write(tokenBytes[token]);
        return Utf8.GetString(bytes.WrittenSpan);
    }

    /// <summary>The text of tokens as they come: each piece of whole characters as soon as it is certain.</summary>
    /// <remarks>The pieces together are what <see cref="Decode"/> makes of all tokens. No piece is empty.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">While enumerating: an id is not in the vocabulary.</exception>
    public IAsyncEnumerable<string> DecodeAsync(
        IAsyncEnumerable<int> tokens,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Pieces(tokens, cancellationToken);
    }

    /// <summary>Whether the token stands for no text: it is one of <see cref="SpecialTokens"/>.</summary>
    public bool IsSpecial(int token) => _vocabulary.Value.IsSpecial(token);

    private async IAsyncEnumerable<string> Pieces(
        IAsyncEnumerable<int> tokens,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        TokenBytes bytes = Bytes;
        var assembler = new Utf8Assembler();
        await foreach (int token in tokens.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            string piece = assembler.Append(bytes[token]);
            if (piece.Length > 0)
                yield return piece;
        }
        string rest = assembler.Flush();
        if (rest.Length > 0)
            yield return rest;
    }
}
