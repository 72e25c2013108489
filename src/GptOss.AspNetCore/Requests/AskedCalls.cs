using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Requests;

/// <summary>Calls of a history, as Microsoft.Extensions.AI has them.</summary>
internal static class AskedCalls
{
    /// <summary>The most calls that one message may hold.</summary>
    public const int Most = 512;

    /// <summary>
    /// A call with the arguments that the model wrote. What is no JSON object stays text, and the model is shown it in
    /// an object.
    /// </summary>
    public static FunctionCallContent Written(string id, string name, string arguments)
    {
        Dictionary<string, object?>? members = Members(arguments);
        return new FunctionCallContent(id, name, members ?? Wrapped(arguments)) { RawRepresentation = arguments };
    }

    /// <summary>A call of a freeform tool, whose one argument is the text.</summary>
    public static FunctionCallContent Freeform(string id, string name, string input) => new(id, name, Wrapped(input));

    private static Dictionary<string, object?> Wrapped(string text) =>
        text.Length > 0 ? new() { [AskedTools.FreeformArgument] = text } : [];

    private static Dictionary<string, object?>? Members(string arguments)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            var members = new Dictionary<string, object?>();
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
                members[member.Name] = member.Value.ValueKind == JsonValueKind.Null ? null : member.Value.Clone();
            return members;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null; // no JSON, or half of a surrogate pair in a name
        }
    }
}
