using System.Text;
using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>What a function returned, as the text that the model reads.</summary>
/// <remarks>
/// A result goes through JSON first, so that a live one and one read back from a stored conversation give the same
/// text. Texts stand as they are, several of them on lines of their own. The envelope of an MCP tool is opened. A
/// picture, a link or an error becomes one line, since the tool has acted already and nobody chose what it returned.
/// All else is one line of JSON. No result fails.
/// </remarks>
internal static class ResultText
{
    private const int DeepestList = 16;
    private const int LongestLine = 500;

    public static string Of(FunctionResultContent result)
    {
        if (result.Result is null && result.Exception is { } error)
            return "Error: " + error.Message;
        try
        {
            return result.Result switch
            {
                null => "null",
                string text => text,
                JsonElement element => Of(element, 0),
                { } value => Of(ToolText.Element(value), 0),
            };
        }
        catch (NotSupportedException)
        {
            // Trimmed, an application has no description of a type that it did not register.
            return SafeToString(result.Result!);
        }
        catch (Exception error2) when (error2 is not OutOfMemoryException)
        {
            return Unreadable(result.Result!.GetType(), error2);
        }
    }

    /// <summary>A content that is no text, as a line; text as it is.</summary>
    public static string Of(AIContent content)
    {
        try
        {
            return Of(ToolText.Element(content), 0);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return Unreadable(content.GetType(), error);
        }
    }

    private static string SafeToString(object value)
    {
        try
        {
            string? text = value.ToString();
            return text is { Length: > 0 } && text != value.GetType().ToString()
                ? text
                : $"[{value.GetType().Name}: this result could not be read: its type cannot be written as JSON]";
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return Unreadable(value.GetType(), error);
        }
    }

    private static string Unreadable(Type type, Exception error) =>
        $"[{type.Name}: this result could not be read: {OneLine(error.GetBaseException().Message)}]";

    private static string Of(JsonElement value, int depth) =>
        value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => "null",
            JsonValueKind.String => SchemaText.Of(value),
            JsonValueKind.Object when Text(value, "$type") is { } type => ContentOf(value, type, depth),
            JsonValueKind.Object when ToolEnvelope.TryOpen(value, out ToolEnvelope envelope) => Opened(envelope, depth),
            JsonValueKind.Object when ToolEnvelope.IsLoneBlock(value) => BlockOf(value),
            JsonValueKind.Array when depth < DeepestList && IsList(value) => Lines(value, depth),
            _ => ToolText.Compact(value),
        };

    private static string Lines(JsonElement list, int depth) =>
        string.Join(
            '\n',
            list.EnumerateArray()
                .Select(item =>
                    Text(item, "$type") is null && ToolEnvelope.IsBlock(item) ? BlockOf(item) : Of(item, depth + 1)
                )
        );

    /// <summary>Whether a list holds a content, or is what an MCP server puts into an envelope.</summary>
    private static bool IsList(JsonElement list) =>
        list.GetArrayLength() > 0
        && (list.EnumerateArray().Any(IsContent) || list.EnumerateArray().All(ToolEnvelope.IsBlock));

    private static bool IsContent(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && Text(item, "$type") is not null;

    /// <summary>A content of Microsoft.Extensions.AI, as its JSON.</summary>
    private static string ContentOf(JsonElement content, string type, int depth)
    {
        switch (type)
        {
            case "text" or "reasoning":
                return Text(content, "text") ?? "";
            case "data"
                when Text(content, "uri") is { } uri
                    && MediaText.TryParse(uri, Text(content, "name"), out DataContent? data):
                return MediaText.Of(data) ?? NotShown($"{data.MediaType}, {data.Data.Length} bytes");
            case "uri":
                return NotShown($"{Text(content, "mediaType") ?? "link"}, {Text(content, "uri")}");
            case "error":
                return "Error: " + OneLine(Text(content, "message") ?? "");
            case "functionResult" when JsonText.TryGet(content, "result", out JsonElement inner) && depth < DeepestList:
                return Of(inner, depth + 1);
            case "hostedFile":
                return NotShown($"file {Text(content, "name") ?? Text(content, "fileId")}");
            case "usage":
                return "";
            default:
                // An object of the tool's own may have such a property too: only kinds that are known to be contents
                // are hidden.
                return KnownContents.Contains(type) ? NotShown(type) : ToolText.Compact(content);
        }
    }

    /// <summary>Kinds of contents of Microsoft.Extensions.AI that say nothing to this model.</summary>
    private static readonly HashSet<string> KnownContents =
    [
        "data",
        "functionCall",
        "functionResult",
        "hostedVectorStore",
        "toolCall",
        "toolResult",
        "inputRequest",
        "inputResponse",
        "toolApprovalRequest",
        "toolApprovalResponse",
        "mcpServerToolCall",
        "mcpServerToolResult",
        "imageGenerationToolCall",
        "imageGenerationToolResult",
        "codeInterpreterToolCall",
        "codeInterpreterToolResult",
        "webSearchToolCall",
        "webSearchToolResult",
    ];

    /// <summary>
    /// What a tool of an MCP server said: its structured content, or its blocks on lines of their own.
    /// </summary>
    private static string Opened(ToolEnvelope envelope, int depth)
    {
        string text =
            envelope.Structured is { } structured && (!envelope.IsError || envelope.Blocks.Count == 0)
                ? depth < DeepestList && envelope.IsBare
                    ? Of(structured, depth + 1)
                    : ToolText.Compact(structured)
                : string.Join('\n', envelope.Blocks.Select(BlockOf));
        return !envelope.IsError || text.StartsWith("Error", StringComparison.OrdinalIgnoreCase)
            ? text
            : "Error: " + (text.Length > 0 ? text : "the tool failed and did not say why.");
    }

    /// <summary>A block of the Model Context Protocol.</summary>
    private static string BlockOf(JsonElement block) =>
        ToolEnvelope.Kind(block) switch
        {
            _ when block.ValueKind == JsonValueKind.String => SchemaText.Of(block),
            "text" => Member(block, "text") ?? "",
            "image" or "audio" => Media(block, "data"),
            "resource_link" => NotShown($"{Type(block) ?? "link"}, {Member(block, "uri")}"),
            "resource"
                when ToolEnvelope.TryGet(block, "resource", out JsonElement resource)
                    && resource.ValueKind == JsonValueKind.Object => Member(resource, "text")
                ?? Media(resource, "blob"),
            var other => NotShown(other ?? "content"),
        };

    private static string Media(JsonElement block, string name)
    {
        string type = Type(block) ?? "application/octet-stream";
        return MediaText.TryParse($"data:{type};base64,{Member(block, name)}", null, out DataContent? data)
            ? MediaText.Of(data) ?? NotShown($"{type}, {data.Data.Length} bytes")
            : NotShown(type);
    }

    private static string? Member(JsonElement block, string name) => ToolEnvelope.Text(block, name);

    private static string? Type(JsonElement block) => Member(block, "mimeType");

    private static string NotShown(string what) => $"[{OneLine(what)}: not shown, this model reads text only]";

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (char c in text)
            line.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        string all = line.ToString().Trim();
        return all.Length <= LongestLine ? all : all[..LongestLine] + "…";
    }

    private static string? Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object
        && JsonText.TryGet(value, name, out JsonElement text)
        && text.ValueKind == JsonValueKind.String
            ? SchemaText.Of(text)
            : null;
}
