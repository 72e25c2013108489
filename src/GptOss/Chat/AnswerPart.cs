using System.Text.Json;
using System.Text.Json.Serialization;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Where in an answer a message of the model lies: in its text, in its reasoning, in a call, or nowhere.
/// </summary>
internal enum PartPlace
{
    /// <summary>The message is text that the caller sees, in <see cref="TextContent"/>.</summary>
    Text,

    /// <summary>The message is reasoning that the caller sees, in <see cref="TextReasoningContent"/>.</summary>
    Reasoning,

    /// <summary>The message is a call, a <see cref="FunctionCallContent"/>.</summary>
    Call,

    /// <summary>No contents hold the message: it is reasoning that the caller did not want to see.</summary>
    Nowhere,
}

/// <summary>
/// A note about one message that the model wrote within an answer. It travels with the answer and keeps what contents
/// cannot say, such as the message's channel, its border to the next message and the exact text of a call's arguments,
/// so that the model later finds the message exactly as it wrote it.
/// </summary>
/// <remarks>
/// Contents of one kind are merged on their way to the caller, and channels, borders between messages and the exact
/// text of arguments get lost. An answer carries its parts in
/// <c>ChatMessage.AdditionalProperties["harmony.parts"]</c>, where they survive being stored as JSON. An answer whose
/// contents say everything carries none. <see cref="AnswerTranslator"/> writes the parts, <see cref="AnswerReader"/>
/// reads them.
/// </remarks>
internal sealed record AnswerPart
{
    /// <summary>The name of the parts among a message's additional properties.</summary>
    public const string Key = "harmony.parts";

    /// <summary>
    /// The blank line that the client puts between two messages in contents of one kind; the model did not write it.
    /// </summary>
    public const string Border = "\n\n";

    /// <summary>The channel of the message, one of <see cref="ChannelNames"/>.</summary>
    public required string Channel { get; init; }

    /// <summary>The kind of contents that hold the message.</summary>
    public PartPlace In { get; init; }

    /// <summary>Whether <see cref="Border"/> stands before the message.</summary>
    public bool IsBordered { get; init; }

    /// <summary>
    /// The UTF-16 units of the contents' text that belong to the message, without the border; 0 for a call.
    /// </summary>
    public int Length { get; init; }

    /// <summary>
    /// Text of the message that no contents hold: hidden reasoning, or a call's arguments as the model spaced them;
    /// null where the contents hold all of it.
    /// </summary>
    public string? Words { get; init; }

    /// <summary>A call's content type; "" for none, null for <see cref="SpokenMessage.UsualType"/>.</summary>
    public string? Type { get; init; }

    /// <summary>
    /// The token ids that the model chose, where the tokenizer would choose others for the same text; else null.
    /// </summary>
    public int[]? Tokens { get; init; }

    /// <summary>Writes parts as the JSON in which an answer carries them.</summary>
    public static JsonElement ToJson(IReadOnlyList<AnswerPart> parts) =>
        JsonSerializer.SerializeToElement(parts, AnswerPartJson.Default.IReadOnlyListAnswerPart);

    /// <summary>The parts that a message carries; null where there are none, or where one has the wrong form.</summary>
    /// <remarks>Anybody may have written them: <see cref="AnswerReader"/> compares them with the contents.</remarks>
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

    // A list that was read from JSON may hold null, whatever its type says.
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

/// <summary>
/// Writes and reads <see cref="AnswerPart"/>s as JSON by generated code instead of reflection, which a trimmed
/// application does not have.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault
)]
[JsonSerializable(typeof(IReadOnlyList<AnswerPart>))]
internal sealed partial class AnswerPartJson : JsonSerializerContext;
