using System.Text.Json;
using System.Text.Json.Serialization;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Where a message of the model stands in the contents of an answer.</summary>
internal enum PartPlace
{
    /// <summary>In <see cref="TextContent"/>.</summary>
    Text,

    /// <summary>In <see cref="TextReasoningContent"/>.</summary>
    Reasoning,

    /// <summary>It is a <see cref="FunctionCallContent"/>.</summary>
    Call,

    /// <summary>Nowhere: the caller did not want to see it.</summary>
    Nowhere,
}

/// <summary>A message that the model wrote, as far as the contents of the answer do not say it.</summary>
/// <remarks>
/// Contents of one kind are merged on their way to the caller, and channels, border lines and the exact text of
/// arguments get lost. An answer carries its parts in <c>ChatMessage.AdditionalProperties["harmony.parts"]</c>, where
/// they survive JSON; a plain answer, whose contents say all, carries none.
/// </remarks>
internal sealed record AnswerPart
{
    public const string Key = "harmony.parts";

    /// <summary>
    /// The blank line between two messages that stand in contents of one kind; none of the model's words.
    /// </summary>
    public const string Border = "\n\n";

    /// <summary>One of <see cref="ChannelNames"/>.</summary>
    public required string Channel { get; init; }

    public PartPlace In { get; init; }

    /// <summary>Whether <see cref="Border"/> stands before it.</summary>
    public bool IsBordered { get; init; }

    /// <summary>UTF-16 units of the contents' text that belong to it, without the border; 0 for a call.</summary>
    public int Length { get; init; }

    /// <summary>
    /// What the contents do not hold: hidden reasoning, or arguments as they were written; null for nothing.
    /// </summary>
    public string? Words { get; init; }

    /// <summary>A call's content type; "" for none, null for the usual one.</summary>
    public string? Type { get; init; }

    /// <summary>
    /// The ids that the model chose, where the tokenizer would take others; null for the tokenizer's.
    /// </summary>
    public int[]? Tokens { get; init; }

    /// <summary>The parts as they are stored.</summary>
    public static JsonElement ToJson(IReadOnlyList<AnswerPart> parts) =>
        JsonSerializer.SerializeToElement(parts, AnswerPartJson.Default.IReadOnlyListAnswerPart);

    /// <summary>The parts that a message carries, as far as they have the right form; null for none.</summary>
    /// <remarks>They may come from a stranger: <see cref="AnswerReader"/> compares them with the contents.</remarks>
    public static IReadOnlyList<AnswerPart>? Of(ChatMessage message)
    {
        if (message.AdditionalProperties?.TryGetValue(Key, out object? stored) != true)
            return null;
        try
        {
            return Checked(StoredJson.List(stored)?.Deserialize(AnswerPartJson.Default.IReadOnlyListAnswerPart));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    // A stranger's list may hold null, whatever its type says.
    private static IReadOnlyList<AnswerPart>? Checked(IReadOnlyList<AnswerPart>? parts) =>
        parts?.All(part =>
            part is not null
            && Enum.IsDefined(part.In)
            && ChannelNames.All.Contains(part.Channel)
            && (part.In is PartPlace.Text or PartPlace.Reasoning ? part.Length > 0 : part.Length == 0)
        ) == true
            ? parts
            : null;
}

/// <summary>How parts are stored; known without reflection, for applications that are trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault
)]
[JsonSerializable(typeof(IReadOnlyList<AnswerPart>))]
internal sealed partial class AnswerPartJson : JsonSerializerContext;
