using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Converts the arguments of function calls between .NET values and the JSON text that the model writes.
/// </summary>
internal static class ToolText
{
    /// <summary>
    /// The arguments of a call as one line of JSON; in the place of an argument that cannot be written stands a text
    /// that says so.
    /// </summary>
    public static string Arguments(FunctionCallContent call)
    {
        if (call.Arguments is not { } arguments)
            return "{}";
        try
        {
            return ContentJson.Compact(ContentJson.Element(arguments));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            var readable = new Dictionary<string, object?>();
            foreach ((string name, object? value) in arguments)
                readable[name] = value is null ? null : ResultText.Of(new FunctionResultContent("", value));
            return ContentJson.Compact(ContentJson.Element(readable));
        }
    }

    /// <summary>
    /// Whether arguments that the model wrote are, as JSON values, the arguments of a call: whatever their spacing,
    /// their escapes, the order of their properties and the spelling of numbers.
    /// </summary>
    /// <param name="written">The arguments as the model wrote them.</param>
    /// <param name="compact">The call's arguments, as <see cref="Arguments"/> returns them.</param>
    public static bool Same(string written, string compact)
    {
        if (written == compact)
            return true;
        try
        {
            return JsonElement.DeepEquals(ContentJson.Element(Parse(written)), JsonElement.Parse(compact));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Makes a call of the arguments that the model wrote. Arguments that are not a JSON object give a call whose
    /// exception is set.
    /// </summary>
    /// <remarks>
    /// An object within a string, or alone within an array, is taken out. An empty text means no arguments.
    /// </remarks>
    public static FunctionCallContent Call(string callId, string name, string written)
    {
        FunctionCallContent call = FunctionCallContent.CreateFromParsedArguments(written, callId, name, Parse);
        call.RawRepresentation = written;
        return call;
    }

    private static Dictionary<string, object?> Parse(string written)
    {
        if (string.IsNullOrWhiteSpace(written))
            return [];
        using JsonDocument document = JsonDocument.Parse(written);
        JsonElement root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() == 1)
            root = root[0];
        if (root.ValueKind == JsonValueKind.String)
            return Parse(root.GetString()!);
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException($"Arguments must be a JSON object; this is of kind {root.ValueKind}.");
        var arguments = new Dictionary<string, object?>();
        foreach (JsonProperty argument in root.EnumerateObject())
            arguments[argument.Name] = argument.Value.ValueKind == JsonValueKind.Null ? null : argument.Value.Clone();
        // Half of a surrogate pair parses, but throws when somebody reads the argument. Writing the arguments once
        // throws here already, where the failure becomes the call's exception.
        ContentJson.Compact(ContentJson.Element(arguments));
        return arguments;
    }
}
