using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Wire;

/// <summary>A whole answer of Responses, or what there is of one so far: all members are always written.</summary>
internal sealed record ResponseObject
{
    public required string Id { get; init; }
    public string Object => "response";
    public required long CreatedAt { get; init; }
    public long? CompletedAt { get; init; }
    public required string Status { get; init; }
    public IncompleteDetails? IncompleteDetails { get; init; }
    public ResponseError? Error { get; init; }
    public required string Model { get; init; }
    public string? PreviousResponseId { get; init; }
    public string? Instructions { get; init; }
    public required IReadOnlyList<ResponseItem> Output { get; init; }
    public required JsonElement Tools { get; init; }
    public required JsonElement ToolChoice { get; init; }
    public required bool ParallelToolCalls { get; init; }
    public string Truncation => "disabled";
    public required ResponseText Text { get; init; }
    public required double Temperature { get; init; }
    public required double TopP { get; init; }
    public required double PresencePenalty { get; init; }
    public required double FrequencyPenalty { get; init; }
    public required int TopLogprobs { get; init; }
    public required ResponseReasoning Reasoning { get; init; }
    public int? MaxOutputTokens { get; init; }
    public long? MaxToolCalls { get; init; }
    public required bool Store { get; init; }
    public bool Background => false;
    public string ServiceTier => "default";
    public required JsonElement Metadata { get; init; }
    public string? SafetyIdentifier { get; init; }
    public string? PromptCacheKey { get; init; }
    public ResponseUsage? Usage { get; init; }
    public string? User { get; init; }
    public ReplyTimings? Timings { get; init; }
}

/// <summary>Why an answer is not whole.</summary>
internal sealed record IncompleteDetails(string Reason);

/// <summary>Why an answer failed.</summary>
internal sealed record ResponseError(string Code, string Message);

/// <summary>The form of an answer's text.</summary>
internal sealed record ResponseText(JsonElement Format)
{
    public string Verbosity => "medium";
}

/// <summary>How long the model thought, and how its reasoning is shown.</summary>
internal sealed record ResponseReasoning(string Effort, string? Summary);

/// <summary>The tokens that a request took, as Responses counts them.</summary>
internal sealed record ResponseUsage(
    long InputTokens,
    ResponseInputUsage InputTokensDetails,
    long OutputTokens,
    ResponseOutputUsage OutputTokensDetails,
    long TotalTokens
)
{
    /// <summary>The count of an answer that is over.</summary>
    public static ResponseUsage Of(UsageDetails usage)
    {
        long read = usage.InputTokenCount ?? 0,
            written = usage.OutputTokenCount ?? 0;
        return new ResponseUsage(
            read,
            new ResponseInputUsage(usage.CachedInputTokenCount ?? 0),
            written,
            new ResponseOutputUsage(usage.ReasoningTokenCount ?? 0),
            usage.TotalTokenCount ?? (read + written)
        );
    }
}

/// <summary>The tokens of a prompt by their kind.</summary>
internal sealed record ResponseInputUsage(long CachedTokens);

/// <summary>The tokens of an answer by their kind.</summary>
internal sealed record ResponseOutputUsage(long ReasoningTokens);

/// <summary>The answer to who wants a stored answer to be forgotten.</summary>
internal sealed record DeletedResponse(string Id)
{
    public string Object => "response";
    public bool Deleted => true;
}

/// <summary>The items that a stored answer was asked with.</summary>
internal sealed record StoredItems(IReadOnlyList<JsonElement> Data, string? FirstId, string? LastId)
{
    [JsonPropertyOrder(-1)]
    public string Object => "list";
    public bool HasMore => false;
}

/// <summary>How many tokens a request's prompt has.</summary>
internal sealed record InputTokens([property: JsonPropertyName("input_tokens")] int Count)
{
    [JsonPropertyOrder(-1)]
    public string Object => "response.input_tokens";
}
