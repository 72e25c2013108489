using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Tokenization;

namespace GptOss.Chat;

/// <summary>
/// Everything that a chat client needs of a model: the source of its tokens, its tokenizer, its name and its limits. A
/// test puts a script in the place of the model.
/// </summary>
/// <param name="Tokens">Turns a prompt into the tokens of an answer.</param>
/// <param name="Tokenizer">Turns text into token ids and back.</param>
/// <param name="ModelId">The name of the model in requests and responses.</param>
/// <param name="Place">The address of a server that answers; null where there is none, as for a model in this
/// process.</param>
/// <param name="ContextLength">The most tokens of prompt and answer together.</param>
/// <exception cref="HarmonyFormatException">The tokenizer lacks a marker of the chat format.</exception>
internal sealed record ChatSource(
    ITokenSource Tokens,
    Tokenizer Tokenizer,
    string ModelId,
    Uri? Place,
    int ContextLength
)
{
    /// <summary>The ids of Harmony's markers in this tokenizer.</summary>
    public SpecialTokens Special { get; } = new(Tokenizer);

    /// <summary>The memory of the model's last answers, which all clients of a model share.</summary>
    public AnswerMemory Memory { get; init; } = new(ModelOptions.Default.AnswerMemoryBytes);

    /// <summary>The most tokens of an answer whose request sets no limit.</summary>
    public int MaxOutputTokens { get; init; } = ModelOptions.Default.MaxOutputTokens;

    /// <summary>Told how long a constraint took to compile; null for nobody.</summary>
    public Action<TimeSpan>? Compiled { get; init; }

    /// <summary>The warning that the process is slow, which the first client that logs gives; null for none.</summary>
    public SlowProcessWarning? Slow { get; init; }

    /// <summary>The memory of keys and values, which the first client that logs tells; null for none.</summary>
    public BudgetNotice? Budget { get; init; }

    /// <summary>
    /// <see cref="Place"/> as telemetry may take it: address and port of a server. The address of a file has the port
    /// −1, which is none.
    /// </summary>
    public Uri? Server => Place is { Port: >= 0 } ? Place : null;

    /// <summary>The clock behind the date in the prompt and the times of updates.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
