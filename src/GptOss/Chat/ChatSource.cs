using GptOss.Generation;
using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>What a chat client needs of a model: where tokens come from, and what they mean.</summary>
/// <param name="Tokens">Makes answers.</param>
/// <param name="Tokenizer">Text to ids and back.</param>
/// <param name="ModelId">The name that requests may ask for.</param>
/// <param name="Place">Where the model lies.</param>
/// <param name="StopTokens">What ends an answer.</param>
/// <param name="ContextLength">Tokens of prompt and answer together.</param>
internal sealed record ChatSource(
    ITokenSource Tokens, GptOssTokenizer Tokenizer, string ModelId, Uri? Place, IReadOnlyList<int> StopTokens, int ContextLength)
{
    /// <summary>The tokens of the chat format.</summary>
    public SpecialTokens Special { get; } = new(Tokenizer);
}
