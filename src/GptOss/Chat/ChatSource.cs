using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Tokenization;

namespace GptOss.Chat;

/// <summary>What a chat client needs of a model: where tokens come from, and what they mean.</summary>
/// <param name="Tokens">Makes answers.</param>
/// <param name="Tokenizer">Text to ids and back.</param>
/// <param name="ModelId">The name that requests may ask for.</param>
/// <param name="Place">The address of a server that answers; null where there is none, as for a model in this
/// process.</param>
/// <param name="ContextLength">Tokens of prompt and answer together.</param>
/// <exception cref="HarmonyFormatException">The tokenizer lacks a marker of the chat format.</exception>
internal sealed record ChatSource(
    ITokenSource Tokens,
    Tokenizer Tokenizer,
    string ModelId,
    Uri? Place,
    int ContextLength
)
{
    /// <summary>The markers of the chat format.</summary>
    public SpecialTokens Special { get; } = new(Tokenizer);

    /// <summary>What the model said last; all clients of a model share it.</summary>
    public AnswerMemory Memory { get; init; } = new(ModelOptions.Default.AnswerMemoryBytes);

    /// <summary>The most tokens of an answer that its request does not limit.</summary>
    public int MaxOutputTokens { get; init; } = ModelOptions.Default.MaxOutputTokens;

    /// <summary>Knows the date that the model is told.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
