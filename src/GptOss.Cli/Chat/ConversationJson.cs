using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>What a conversation's file holds; null stands for what the file does not have.</summary>
internal sealed record SavedConversation(
    string? Format,
    int Version,
    string? Effort,
    string? System,
    bool Tools,
    IReadOnlyList<ChatMessage?>? Messages
);

/// <summary>
/// How a conversation's file is written: by generated code, without reflection, also where the tool is compiled ahead
/// of time.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SavedConversation))]
internal sealed partial class ConversationJson : JsonSerializerContext
{
    // Messages in the form of Microsoft.Extensions.AI, which knows its own types; the rest is ours.
    private static readonly JsonSerializerOptions Combined = new(AIJsonUtilities.DefaultOptions)
    {
        TypeInfoResolver = JsonTypeInfoResolver.Combine(AIJsonUtilities.DefaultOptions.TypeInfoResolver, Default),
    };

    public static JsonTypeInfo<SavedConversation> Saved { get; } =
        (JsonTypeInfo<SavedConversation>)Combined.GetTypeInfo(typeof(SavedConversation));
}
