using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>What a client logs. Nobody's words, except at the level Trace.</summary>
internal static partial class ChatLog
{
    [LoggerMessage(1, LogLevel.Debug, "{ResponseId}: prompt of {PromptTokens} tokens, {Functions} functions offered.")]
    public static partial void Started(ILogger logger, string responseId, int promptTokens, int functions);

    [LoggerMessage(2, LogLevel.Information,
        "{ResponseId}: ended by {FinishReason} after {OutputTokens} tokens, {ReasoningTokens} of them reasoning, in {Elapsed}.")]
    public static partial void Finished(
        ILogger logger, string responseId, ChatFinishReason finishReason, int outputTokens, int reasoningTokens,
        TimeSpan elapsed);

    [LoggerMessage(3, LogLevel.Debug, "A request was cancelled by its caller.")]
    public static partial void Cancelled(ILogger logger);

    [LoggerMessage(4, LogLevel.Warning, "A request failed.")]
    public static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(6, LogLevel.Warning,
        "{ResponseId}: ended after {MaxOutputTokens} tokens by ModelOptions.MaxOutputTokens. Set ChatOptions.MaxOutputTokens, or raise that one.")]
    public static partial void Unlimited(ILogger logger, string responseId, int maxOutputTokens);

    [LoggerMessage(7, LogLevel.Warning,
        "This process does not use {InstructionSets}, which the processor has: the model runs many times slower than it could. "
        + "Compiled ahead of time: set IlcInstructionSet to x86-64-v3 or native. Otherwise: look for variables such as DOTNET_EnableAVX2.")]
    public static partial void Slow(ILogger logger, string instructionSets);

    [LoggerMessage(5, LogLevel.Trace, "{ResponseId}: {HarmonyText}")]
    public static partial void Contents(ILogger logger, string responseId, string harmonyText);
}
