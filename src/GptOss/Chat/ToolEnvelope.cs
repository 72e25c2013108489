using System.Text.Json;
using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>
/// The result of a tool of an MCP server (Model Context Protocol), opened: its <c>content</c>,
/// <c>structuredContent</c> and <c>isError</c>, however C#, Python or TypeScript have spelled these names.
/// </summary>
/// <remarks>
/// The protocol's names are <c>mimeType</c> and <c>_meta</c>; programs also store them as <c>MimeType</c>,
/// <c>mime_type</c> and <c>meta</c>, so that names are compared without underscores and capitals. An object that has
/// any other property is the tool's own and not an envelope.
/// </remarks>
internal readonly record struct ToolEnvelope
{
    private static readonly HashSet<string> Names =
    [
        "content",
        "structuredcontent",
        "iserror",
        "meta",
        "resulttype",
        "task",
    ];

    private static readonly string[] ContentBlockNames = ["type", "annotations", "meta"];

    public ToolEnvelope() { }

    /// <summary>What the tool says to people and models: content blocks of the protocol, or texts.</summary>
    public IReadOnlyList<JsonElement> ContentBlocks { get; init; } = [];

    /// <summary>What the tool says as one JSON value; null for none.</summary>
    public JsonElement? Structured { get; init; }

    /// <summary>Whether the tool says that it has failed.</summary>
    public bool IsError { get; init; }

    /// <summary>
    /// Whether the envelope is of the protocol's first version, whose <c>toolResult</c> may be any JSON.
    /// </summary>
    public bool IsBare { get; init; }

    /// <summary>Opens an envelope; false for an object that is not one.</summary>
    public static bool TryOpen(JsonElement value, out ToolEnvelope envelope)
    {
        envelope = new ToolEnvelope();
        OrderedDictionary<string, JsonElement> members = Members(value);
        bool hasFlag =
            members.TryGetValue("iserror", out JsonElement flag)
            && flag.ValueKind is JsonValueKind.True or JsonValueKind.False;
        envelope = envelope with { IsError = hasFlag && flag.ValueKind == JsonValueKind.True };
        if (
            members.TryGetValue("toolresult", out JsonElement first)
            && members.Keys.All(name => name is "toolresult" or "iserror" or "meta")
        )
        {
            envelope = envelope with { Structured = first, IsBare = true };
            return true;
        }
        bool hasContent = members.TryGetValue("content", out JsonElement content);
        bool hasStructured = members.TryGetValue("structuredcontent", out JsonElement structured);
        if (!members.Keys.All(Names.Contains) || !(hasContent || hasStructured))
            return false;
        bool isSure = hasFlag || (hasStructured && hasContent);
        List<JsonElement>? contentBlocks =
            !hasContent || content.ValueKind == JsonValueKind.Null ? []
            : content.ValueKind == JsonValueKind.Array ? [.. content.EnumerateArray()]
            : IsContentBlock(content) || (isSure && content.ValueKind == JsonValueKind.String) ? [content]
            : null;
        if (
            contentBlocks?.All(item => Kind(item) is not null || (isSure && item.ValueKind == JsonValueKind.String))
            != true
        )
            return false;
        bool saysAnything = structured.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);
        envelope = envelope with { ContentBlocks = contentBlocks, Structured = saysAnything ? structured : null };
        return isSure || contentBlocks.Count > 0;
    }

    /// <summary>
    /// Whether an object outside an envelope is a content block: it is one, and has no property that its kind does not
    /// have.
    /// </summary>
    public static bool IsLoneContentBlock(JsonElement value)
    {
        if (!IsContentBlock(value))
            return false;
        string[] own = Kind(value) switch
        {
            "text" => ["text"],
            "resource" => ["resource"],
            "resource_link" => ["uri", "name", "title", "description", "mimetype", "size", "icons"],
            _ => ["data", "mimetype"],
        };
        return Members(value).Keys.All(name => ContentBlockNames.Contains(name) || own.Contains(name));
    }

    /// <summary>Whether an item is a content block of a known kind, with the properties that the kind needs.</summary>
    public static bool IsContentBlock(JsonElement item) =>
        Kind(item) switch
        {
            "text" => Text(item, "text") is not null,
            "image" or "audio" => Text(item, "data") is not null && Text(item, "mimeType") is not null,
            "resource" => TryGet(item, "resource", out JsonElement resource)
                && resource.ValueKind == JsonValueKind.Object,
            "resource_link" => Text(item, "uri") is not null,
            _ => false,
        };

    /// <summary>The <c>type</c> of a content block; null for an item without one.</summary>
    public static string? Kind(JsonElement item) => Text(item, "type");

    /// <summary>The text of a property, found by the protocol's name for it; null where it has none.</summary>
    public static string? Text(JsonElement value, string name) =>
        TryGet(value, name, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? JsonString.Of(text)
            : null;

    /// <summary>Finds a property by the protocol's name for it, however the object spells that name.</summary>
    public static bool TryGet(JsonElement value, string name, out JsonElement member)
    {
        member = default;
        return value.ValueKind == JsonValueKind.Object
            && (JsonText.TryGet(value, name, out member) || Members(value).TryGetValue(Plain(name), out member));
    }

    private static OrderedDictionary<string, JsonElement> Members(JsonElement value)
    {
        var members = new OrderedDictionary<string, JsonElement>();
        foreach (JsonProperty member in value.EnumerateObject())
            members[Plain(JsonString.NameOf(member))] = member.Value;
        return members;
    }

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
