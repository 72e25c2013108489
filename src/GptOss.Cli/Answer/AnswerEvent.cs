using System.Text.Json;
using System.Text.Json.Serialization;

namespace GptOss.Cli.Answer;

/// <summary>One line of <c>gptoss run --json</c>; what an event does not have is left out.</summary>
/// <param name="Type"><c>reasoning</c>, <c>text</c>, <c>call</c>, or <c>end</c>, the last one.</param>
internal sealed record AnswerEvent(string Type)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CallId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Arguments { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FinishReason { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AnswerUsage? Usage { get; init; }
}

/// <summary>
/// Tokens of an answer: those from the cache are part of the input, the reasoning is part of the output.
/// </summary>
internal sealed record AnswerUsage(
    long? InputTokens,
    long? CachedInputTokens,
    long? OutputTokens,
    long? ReasoningTokens
);
