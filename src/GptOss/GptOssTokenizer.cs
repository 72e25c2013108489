using GptOss.Chat;
using GptOss.Tokenization;

namespace GptOss;

/// <summary>Turns text into token ids and back. Immutable and thread-safe.</summary>
/// <remarks>
/// Text is only ever text: <see cref="Encode"/> makes no special token, whatever the text spells. Special tokens are
/// placed by id, out of <see cref="SpecialTokens"/>. Time grows as n log n with the length of any text, also of one
/// without a space in it.
/// </remarks>
public sealed class GptOssTokenizer
{
    private GptOssTokenizer(Tokenizer inner) => Inner = inner;

    /// <summary>
    /// The vocabulary of gpt-oss-20b and gpt-oss-120b, built in. Its tables are made at the first use of a member that
    /// needs them.
    /// </summary>
    public static GptOssTokenizer O200kHarmony { get; } = new(Tokenizer.O200kHarmony);

    /// <summary>Ids run from 0 to <c>VocabularySize - 1</c>.</summary>
    public int VocabularySize => Inner.VocabularySize;

    /// <summary>The id of each token that stands for no text, by its name, such as <c>&lt;|start|&gt;</c>.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokens => Inner.SpecialTokens;

    internal Tokenizer Inner { get; }

    /// <summary>The door over a tokenizer: the one object for the built-in vocabulary, else a new one.</summary>
    internal static GptOssTokenizer Over(Tokenizer inner) =>
        inner == Tokenizer.O200kHarmony ? O200kHarmony : new GptOssTokenizer(inner);

    /// <summary>The ids of a text, none of them special. A lone surrogate is encoded as U+FFFD.</summary>
    /// <exception cref="CheckpointException">
    /// The pattern in the folder's <c>tokenizer.json</c> takes too long on this text.
    /// </exception>
    public IReadOnlyList<int> Encode(string text) => Inner.Encode(text);

    /// <summary>
    /// The same as <see cref="Encode"/>, for hosts that are asked by many: on another thread when it is its turn among
    /// the requests that are read, since a long text takes seconds.
    /// </summary>
    /// <param name="text">The text that becomes ids.</param>
    /// <param name="scope">Whose text it is: the scopes take turns (<see
    /// cref="GptOssRequestOptions.CacheScope"/>).</param>
    /// <param name="cancellationToken">Ends the wait, and the encoding.</param>
    /// <exception cref="CheckpointException">
    /// The pattern in the folder's <c>tokenizer.json</c> takes too long on this text.
    /// </exception>
    /// <exception cref="OperationCanceledException">The encoding was cancelled.</exception>
    public Task<IReadOnlyList<int>> EncodeAsync(
        string text,
        string? scope = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(text);
        return ReadingTurns.OfProcess.RunAsync<IReadOnlyList<int>>(
            scope,
            () => Inner.EncodeCancellable(text, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>How many tokens a text has.</summary>
    /// <exception cref="CheckpointException">
    /// The pattern in the folder's <c>tokenizer.json</c> takes too long on this text.
    /// </exception>
    public int Count(string text) => Inner.Encode(text).Count;

    /// <summary>The text of the tokens. Special ones give their names; bytes that are not UTF-8 give U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> tokens) => Inner.Decode(tokens);

    /// <summary>The text of tokens as they come: each piece of whole characters as soon as it is certain.</summary>
    /// <remarks>The pieces together are what <see cref="Decode"/> makes of all tokens. No piece is empty.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">While enumerating: an id is not in the vocabulary.</exception>
    public IAsyncEnumerable<string> DecodeAsync(
        IAsyncEnumerable<int> tokens,
        CancellationToken cancellationToken = default
    ) => Inner.DecodeAsync(tokens, cancellationToken);

    /// <summary>
    /// The bytes that a token stands for: those of its text, which may begin or end within a UTF-8 character, or of a
    /// special token's name. An id that the vocabulary leaves unused has none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is not in the vocabulary.</exception>
    public byte[] GetBytes(int token) => Inner.Bytes[token].ToArray();

    /// <summary>Whether the token stands for no text: it is one of <see cref="SpecialTokens"/>.</summary>
    public bool IsSpecial(int token) => Inner.IsSpecial(token);
}
