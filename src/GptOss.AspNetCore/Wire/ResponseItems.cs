using System.Text.Json.Serialization;

namespace GptOss.AspNetCore.Wire;

/// <summary>One item of an answer of Responses: what the model thought, said or called.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ReasoningItem), "reasoning")]
[JsonDerivedType(typeof(MessageItem), "message")]
[JsonDerivedType(typeof(CallItem), "function_call")]
[JsonDerivedType(typeof(FreeformCallItem), "custom_tool_call")]
internal abstract record ResponseItem
{
    [JsonPropertyOrder(-1)]
    public required string Id { get; init; }

    [JsonPropertyOrder(-1)]
    public required string Status { get; init; }
}

/// <summary>What the model thought, as its own words or in the place of a summary.</summary>
internal sealed record ReasoningItem : ResponseItem
{
    public required IReadOnlyList<ResponsePart> Summary { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ResponsePart>? Content { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? EncryptedContent { get; init; }
}

/// <summary>What the model said to the user.</summary>
internal sealed record MessageItem : ResponseItem
{
    public string Role => "assistant";
    public required string Phase { get; init; }
    public required IReadOnlyList<ResponsePart> Content { get; init; }
}

/// <summary>A call whose arguments are JSON.</summary>
internal sealed record CallItem : ResponseItem
{
    public required string CallId { get; init; }
    public required string Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Namespace { get; init; }

    public required string Arguments { get; init; }
}

/// <summary>A call whose input is plain text.</summary>
internal sealed record FreeformCallItem : ResponseItem
{
    public required string CallId { get; init; }
    public required string Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Namespace { get; init; }

    public required string Input { get; init; }
}

/// <summary>A piece of text within an item.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TextPart), "output_text")]
[JsonDerivedType(typeof(ReasoningPart), "reasoning_text")]
[JsonDerivedType(typeof(SummaryPart), "summary_text")]
internal abstract record ResponsePart([property: JsonPropertyOrder(-1)] string Text);

/// <summary>Text for the user.</summary>
internal sealed record TextPart(string Text, [property: JsonPropertyOrder(1)] IReadOnlyList<WireProbability> Logprobs)
    : ResponsePart(Text)
{
    public IReadOnlyList<string> Annotations => [];
}

/// <summary>The model's own reasoning.</summary>
internal sealed record ReasoningPart(string Text) : ResponsePart(Text);

/// <summary>The model's reasoning for clients that read summaries alone.</summary>
internal sealed record SummaryPart(string Text) : ResponsePart(Text);
