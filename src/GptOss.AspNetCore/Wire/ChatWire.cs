using System.Text.Json.Serialization;
using GptOss.AspNetCore.Answers;

namespace GptOss.AspNetCore.Wire;

/// <summary>A whole answer of Chat Completions.</summary>
internal sealed record ChatCompletion
{
    public required string Id { get; init; }
    public string Object => "chat.completion";
    public required long Created { get; init; }
    public required string Model { get; init; }
    public string ServiceTier => "default";
    public required string SystemFingerprint { get; init; }
    public required IReadOnlyList<ChatChoice> Choices { get; init; }
    public required ChatUsage Usage { get; init; }
    public required ReplyTimings Timings { get; init; }
}

/// <summary>The one choice of a whole answer.</summary>
internal sealed record ChatChoice
{
    public int Index => 0;
    public required string FinishReason { get; init; }
    public ChatProbabilities? Logprobs { get; init; }
    public required ChatAnswer Message { get; init; }
}

/// <summary>The message of a whole answer.</summary>
internal sealed record ChatAnswer
{
    public string Role => "assistant";
    public string? Content { get; init; }
    public string? Refusal => null;
    public IReadOnlyList<string> Annotations => [];

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reasoning { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent => Reasoning;

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatCall>? ToolCalls { get; init; }
}

/// <summary>A chunk of a stream of Chat Completions.</summary>
internal record ChatChunk
{
    public required string Id { get; init; }
    public string Object => "chat.completion.chunk";
    public required long Created { get; init; }
    public required string Model { get; init; }
    public string ServiceTier => "default";
    public required string SystemFingerprint { get; init; }
    public required IReadOnlyList<ChatPiece> Choices { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ChatProgress? PromptProgress { get; init; }
}

/// <summary>A chunk of a stream whose last chunk counts tokens; the chunks before say that they do not.</summary>
internal sealed record CountedChatChunk : ChatChunk
{
    [JsonPropertyOrder(1)]
    public ChatUsage? Usage { get; init; }

    [JsonPropertyOrder(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReplyTimings? Timings { get; init; }
}

/// <summary>What a chunk adds to the one choice.</summary>
internal sealed record ChatPiece
{
    public int Index => 0;
    public required ChatDelta Delta { get; init; }
    public ChatProbabilities? Logprobs { get; init; }
    public string? FinishReason { get; init; }
}

/// <summary>What a chunk adds to the message.</summary>
internal sealed record ChatDelta
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Content { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reasoning { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent => Reasoning;

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatCall>? ToolCalls { get; init; }
}

/// <summary>A call in an answer, or a piece of one.</summary>
internal sealed record ChatCall
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Index { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Type { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ChatFunctionCall? Function { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ChatFreeformCall? Custom { get; init; }
}

/// <summary>The name and the arguments of a call, or a piece of the arguments.</summary>
internal sealed record ChatFunctionCall
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    public required string Arguments { get; init; }
}

/// <summary>The name and the text of a freeform call, or a piece of the text.</summary>
internal sealed record ChatFreeformCall
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    public required string Input { get; init; }
}

/// <summary>How likely the tokens of the text were.</summary>
internal sealed record ChatProbabilities(IReadOnlyList<WireProbability> Content)
{
    public IReadOnlyList<WireProbability>? Refusal => null;
}

/// <summary>How far the prompt is read.</summary>
internal sealed record ChatProgress(int Total, int Cache, int Processed, long TimeMs)
{
    /// <summary>How far the prompt is at a moment; null where nobody said.</summary>
    public static ChatProgress? Of(Beat beat) =>
        beat.Progress is { } read
            ? new(read.Total, read.Cached, read.Processed, (long)beat.Elapsed.TotalMilliseconds)
            : null;
}

/// <summary>The tokens that a request took, as Chat Completions counts them.</summary>
internal sealed record ChatUsage
{
    public required long PromptTokens { get; init; }
    public required long CompletionTokens { get; init; }
    public required long TotalTokens { get; init; }
    public required ChatPromptUsage PromptTokensDetails { get; init; }
    public required ChatAnswerUsage CompletionTokensDetails { get; init; }
}

/// <summary>The tokens of a prompt by their kind.</summary>
internal sealed record ChatPromptUsage(long CachedTokens)
{
    public long AudioTokens => 0;
}

/// <summary>The tokens of an answer by their kind.</summary>
internal sealed record ChatAnswerUsage(long ReasoningTokens)
{
    public long AudioTokens => 0;
    public long AcceptedPredictionTokens => 0;
    public long RejectedPredictionTokens => 0;
}
