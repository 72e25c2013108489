using System.Text;
using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Turns the value that a function returned into the text that the model reads. Every value has such a text; none makes
/// this fail.
/// </summary>
/// <remarks>
/// A result goes through JSON first, so that a live one and one read back from a stored conversation give the same
/// text. Texts stand as they are, several of them each on a line. The envelope of an MCP tool is opened
/// (<see cref="ToolEnvelope"/>). A picture, a link or an error becomes one line, since the tool has acted already and
/// the caller did not choose what the tool returned. Everything else is one line of JSON.
/// </remarks>
internal static class ResultText
{
    private const int DeepestList = 16;
    private const int LongestLine = 500;

    /// <summary>The text of a function's result, or of the exception that stands in its place.</summary>
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
                { } value => Of(ContentJson.Element(value), 0),
            };
        }
        catch (NotSupportedException)
        {
            // A trimmed application knows how to write only the types that it has registered.
            return SafeToString(result.Result!);
        }
        catch (Exception error2) when (error2 is not OutOfMemoryException)
        {
            return Unreadable(result.Result!.GetType(), error2);
        }
    }

    /// <summary>The text of a content; one line for a content that is not text.</summary>
    public static string Of(AIContent content)
    {
        try
        {
            return Of(ContentJson.Element(content), 0);
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
            JsonValueKind.String => JsonString.Of(value),
            JsonValueKind.Object when Text(value, "$type") is { } type => ContentOf(value, type, depth),
            JsonValueKind.Object when ToolEnvelope.TryOpen(value, out ToolEnvelope envelope) => Opened(envelope, depth),
            JsonValueKind.Object when ToolEnvelope.IsLoneContentBlock(value) => OfContentBlock(value),
            JsonValueKind.Array when depth < DeepestList && IsList(value) => Lines(value, depth),
            _ => ContentJson.Compact(value),
        };

    private static string Lines(JsonElement list, int depth) =>
        string.Join(
            '\n',
            list.EnumerateArray()
                .Select(item =>
                    Text(item, "$type") is null && ToolEnvelope.IsContentBlock(item)
                        ? OfContentBlock(item)
                        : Of(item, depth + 1)
                )
        );

    /// <summary>
    /// Whether the items of a list are written each on a line: one of them is a content of Microsoft.Extensions.AI, or
    /// all are content blocks of MCP.
    /// </summary>
    private static bool IsList(JsonElement list) =>
        list.GetArrayLength() > 0
        && (list.EnumerateArray().Any(IsContent) || list.EnumerateArray().All(ToolEnvelope.IsContentBlock));

    private static bool IsContent(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && Text(item, "$type") is not null;

    /// <summary>The text of a content of Microsoft.Extensions.AI that stands in a result as JSON.</summary>
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
                // An object of the tool's own may have a property "$type" too, and is then shown as JSON. Only kinds
                // that Microsoft.Extensions.AI uses are hidden.
                return KnownContents.Contains(type) ? NotShown(type) : ContentJson.Compact(content);
        }
    }

    /// <summary>Kinds of contents of Microsoft.Extensions.AI that this model cannot use.</summary>
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
    /// The text of an MCP tool's result: its structured content, or its content blocks each on a line.
    /// </summary>
    private static string Opened(ToolEnvelope envelope, int depth)
    {
        string text =
            envelope.Structured is { } structured && (!envelope.IsError || envelope.ContentBlocks.Count == 0)
                ? depth < DeepestList && envelope.IsBare
                    ? Of(structured, depth + 1)
                    : ContentJson.Compact(structured)
                : string.Join('\n', envelope.ContentBlocks.Select(OfContentBlock));
        return !envelope.IsError || text.StartsWith("Error", StringComparison.OrdinalIgnoreCase)
            ? text
            : "Error: " + (text.Length > 0 ? text : "the tool failed and did not say why.");
    }

    /// <summary>The text of a content block of the Model Context Protocol.</summary>
    private static string OfContentBlock(JsonElement item) =>
        ToolEnvelope.Kind(item) switch
        {
            _ when item.ValueKind == JsonValueKind.String => JsonString.Of(item),
            "text" => Member(item, "text") ?? "",
            "image" or "audio" => Media(item, "data"),
            "resource_link" => NotShown($"{Type(item) ?? "link"}, {Member(item, "uri")}"),
            "resource"
                when ToolEnvelope.TryGet(item, "resource", out JsonElement resource)
                    && resource.ValueKind == JsonValueKind.Object => Member(resource, "text")
                ?? Media(resource, "blob"),
            var other => NotShown(other ?? "content"),
        };

    private static string Media(JsonElement item, string name)
    {
        string type = Type(item) ?? "application/octet-stream";
        return MediaText.TryParse($"data:{type};base64,{Member(item, name)}", null, out DataContent? data)
            ? MediaText.Of(data) ?? NotShown($"{type}, {data.Data.Length} bytes")
            : NotShown(type);
    }

    private static string? Member(JsonElement item, string name) => ToolEnvelope.Text(item, name);

    private static string? Type(JsonElement item) => Member(item, "mimeType");

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
            ? JsonString.Of(text)
            : null;
}
