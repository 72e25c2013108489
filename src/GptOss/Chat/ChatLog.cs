using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>
/// The lines that a chat client writes to its log, each with its level and number. Text of users and of the model is
/// logged at the level Trace only.
/// </summary>
internal static partial class ChatLog
{
    [LoggerMessage(1, LogLevel.Debug, "{ResponseId}: prompt of {PromptTokens} tokens, {Functions} functions offered.")]
    public static partial void Started(ILogger logger, string responseId, int promptTokens, int functions);

    [LoggerMessage(
        2,
        LogLevel.Information,
        "{ResponseId}: ended by {FinishReason} after {OutputTokens} tokens, {ReasoningTokens} of them reasoning, in "
            + "{Elapsed}."
    )]
    public static partial void Finished(
        ILogger logger,
        string responseId,
        ChatFinishReason finishReason,
        int outputTokens,
        int reasoningTokens,
        TimeSpan elapsed
    );

    [LoggerMessage(3, LogLevel.Debug, "A request was cancelled by its caller.")]
    public static partial void Cancelled(ILogger logger);

    [LoggerMessage(4, LogLevel.Warning, "A request failed.")]
    public static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(15, LogLevel.Debug, "A request was refused.")]
    public static partial void Refused(ILogger logger, Exception error);

    [LoggerMessage(
        6,
        LogLevel.Warning,
        "{ResponseId}: a call of '{Function}' was not carried out; the model is told, try {Attempt}."
    )]
    public static partial void Repaired(ILogger logger, string responseId, string function, int attempt);

    [LoggerMessage(
        7,
        LogLevel.Warning,
        "{ResponseId}: a call of '{Function}' cannot be carried out and is given for information only."
    )]
    public static partial void GivenUp(ILogger logger, string responseId, string function);

    [LoggerMessage(8, LogLevel.Debug, "{ResponseId}: passed over, since it is not for this model: {Contents}.")]
    public static partial void PassedOver(ILogger logger, string responseId, string contents);

    [LoggerMessage(
        14,
        LogLevel.Warning,
        "Response {ResponseId} is not held to keywords that are not supported, as SchemaOptions.Relax asks: {Pointers}"
    )]
    public static partial void Relaxed(ILogger logger, string responseId, string pointers);

    [LoggerMessage(
        9,
        LogLevel.Information,
        "The model '{Wanted}' was asked for; this client runs '{ModelId}', which answers."
    )]
    public static partial void OtherModel(ILogger logger, string wanted, string modelId);

    [LoggerMessage(10, LogLevel.Warning, "{Sentence}")]
    public static partial void SchemaShortened(ILogger logger, string sentence);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "{ResponseId}: ended after {MaxOutputTokens} tokens by ModelOptions.MaxOutputTokens. Set "
            + "ChatOptions.MaxOutputTokens, or raise that one."
    )]
    public static partial void Unlimited(ILogger logger, string responseId, int maxOutputTokens);

    [LoggerMessage(
        12,
        LogLevel.Warning,
        "This process does not use {InstructionSets}, which the processor has: the model runs many times slower than "
            + "it could. "
            + "Compiled ahead of time: set IlcInstructionSet to x86-64-v3 or native. Otherwise: look for variables "
            + "such as DOTNET_EnableAVX2."
    )]
    public static partial void Slow(ILogger logger, string instructionSets);

    [LoggerMessage(
        13,
        LogLevel.Information,
        "Keys and values of all requests may take {Bytes} bytes, {Origin}: {Pages} pages, {Tokens} tokens."
    )]
    public static partial void Budget(ILogger logger, long bytes, string origin, long pages, long tokens);

    [LoggerMessage(5, LogLevel.Trace, "{ResponseId}: {HarmonyText}")]
    public static partial void Contents(ILogger logger, string responseId, string harmonyText);
}
