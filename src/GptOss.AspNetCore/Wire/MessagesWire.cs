using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Wire;

/// <summary>A whole answer of Messages, or the beginning of one, without content.</summary>
internal sealed record MessageObject
{
    public required string Id { get; init; }
    public string Type => "message";
    public string Role => "assistant";
    public required string Model { get; init; }
    public required IReadOnlyList<MessageBlock> Content { get; init; }
    public string? StopReason { get; init; }
    public string? StopSequence { get; init; }
    public required MessageUsage Usage { get; init; }
}

/// <summary>One block of an answer of Messages: what the model thought, said or called.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ThinkingBlock), "thinking")]
[JsonDerivedType(typeof(TextBlock), "text")]
[JsonDerivedType(typeof(ToolUseBlock), "tool_use")]
internal abstract record MessageBlock;

/// <summary>What the model thought.</summary>
/// <param name="Thinking">The model's own words.</param>
/// <param name="Signature">The same in the form that comes back.</param>
internal sealed record ThinkingBlock(string Thinking, string Signature) : MessageBlock;

/// <summary>What the model said to the user.</summary>
internal sealed record TextBlock(string Text) : MessageBlock;

/// <summary>A call of a tool.</summary>
internal sealed record ToolUseBlock(string Id, string Name, ToolInputText Input) : MessageBlock;

/// <summary>The tokens that a request took, as Messages counts them: what the cache held is counted apart.</summary>
internal sealed record MessageUsage(
    long InputTokens,
    [property: JsonPropertyOrder(2)] long CacheReadInputTokens,
    [property: JsonPropertyOrder(3)] long OutputTokens
)
{
    /// <summary>The count of an answer of which nothing is known yet.</summary>
    public static MessageUsage None { get; } = new(0, 0, 0);

    // Whoever writes a cache of Anthropic's pays for it; the cache here is written as a matter of course.
    [JsonPropertyOrder(1)]
    public long CacheCreationInputTokens => 0;

    /// <summary>The count of an answer that is over.</summary>
    public static MessageUsage Of(UsageDetails usage)
    {
        long cached = usage.CachedInputTokenCount ?? 0;
        return new(Math.Max(0, (usage.InputTokenCount ?? 0) - cached), cached, usage.OutputTokenCount ?? 0);
    }
}

/// <summary>How many tokens the prompt of a request of Messages has.</summary>
internal sealed record MessageTokens(int InputTokens);

/// <summary>JSON that is sent as the model wrote it.</summary>
/// <param name="Text">One value of JSON.</param>
[JsonConverter(typeof(ToolInputTextConverter))]
internal sealed record ToolInputText(string Text)
{
    /// <summary>The object without members.</summary>
    public static ToolInputText Nothing { get; } = new("{}");
}

/// <summary>Writes <see cref="ToolInputText"/>; nothing reads it.</summary>
internal sealed class ToolInputTextConverter : JsonConverter<ToolInputText>
{
    public override ToolInputText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException();

    // Not through JsonElement, which cannot write half of a surrogate pair, though a model may have escaped one.
    public override void Write(Utf8JsonWriter writer, ToolInputText value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Text);
}
