using System.Text.Json;
using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>
/// What a tool of an MCP server returns: <c>content</c>, <c>structuredContent</c>, <c>isError</c>, as C#, Python and
/// TypeScript write it down.
/// </summary>
/// <remarks>
/// The protocol's names are <c>mimeType</c> and <c>_meta</c>; programs also store them as <c>MimeType</c>,
/// <c>mime_type</c> and
/// <c>meta</c>, so that names are compared without their signs and capitals. An object that has any other property is
/// the tool's own and stays as it is.
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

    private static readonly string[] BlockNames = ["type", "annotations", "meta"];

    public ToolEnvelope() { }

    /// <summary>What the tool says, each a block of the protocol or a text.</summary>
    public IReadOnlyList<JsonElement> Blocks { get; init; } = [];

    /// <summary>The same as JSON; null for none.</summary>
    public JsonElement? Structured { get; init; }

    public bool IsError { get; init; }

    /// <summary>Whether it is of the protocol's first version, whose <c>toolResult</c> is any JSON.</summary>
    public bool IsBare { get; init; }

    /// <summary>Opens an envelope; false for an object that is none.</summary>
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
        List<JsonElement>? blocks =
            !hasContent || content.ValueKind == JsonValueKind.Null ? []
            : content.ValueKind == JsonValueKind.Array ? [.. content.EnumerateArray()]
            : IsBlock(content) || (isSure && content.ValueKind == JsonValueKind.String) ? [content]
            : null;
        if (
            blocks?.All(block => Kind(block) is not null || (isSure && block.ValueKind == JsonValueKind.String)) != true
        )
            return false;
        bool saysAnything = structured.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);
        envelope = envelope with { Blocks = blocks, Structured = saysAnything ? structured : null };
        return isSure || blocks.Count > 0;
    }

    /// <summary>Whether an object is a block by itself, with no property that a block has not.</summary>
    public static bool IsLoneBlock(JsonElement value)
    {
        if (!IsBlock(value))
            return false;
        string[] own = Kind(value) switch
        {
            "text" => ["text"],
            "resource" => ["resource"],
            "resource_link" => ["uri", "name", "title", "description", "mimetype", "size", "icons"],
            _ => ["data", "mimetype"],
        };
        return Members(value).Keys.All(name => BlockNames.Contains(name) || own.Contains(name));
    }

    /// <summary>Whether it is a block of a kind that is known, with what the kind needs.</summary>
    public static bool IsBlock(JsonElement item) =>
        Kind(item) switch
        {
            "text" => Text(item, "text") is not null,
            "image" or "audio" => Text(item, "data") is not null && Text(item, "mimeType") is not null,
            "resource" => TryGet(item, "resource", out JsonElement resource)
                && resource.ValueKind == JsonValueKind.Object,
            "resource_link" => Text(item, "uri") is not null,
            _ => false,
        };

    /// <summary>The type of a block; null for what is none.</summary>
    public static string? Kind(JsonElement item) => Text(item, "type");

    public static string? Text(JsonElement value, string name) =>
        TryGet(value, name, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? SchemaText.Of(text)
            : null;

    /// <summary>Finds a property by the protocol's name for it.</summary>
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
            members[Plain(SchemaText.NameOf(member))] = member.Value;
        return members;
    }

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
