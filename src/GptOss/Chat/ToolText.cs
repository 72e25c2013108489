using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Arguments and results of calls as the text that the model writes and reads.</summary>
internal static class ToolText
{
    private static readonly JsonSerializerOptions Compact = MakeCompact();

    /// <summary>The arguments as one line of JSON.</summary>
    public static string Arguments(FunctionCallContent call) => call.Arguments is { } arguments
        ? JsonSerializer.Serialize(arguments, (JsonTypeInfo<IDictionary<string, object?>>)Compact.GetTypeInfo(
            typeof(IDictionary<string, object?>)))
        : "{}";

    /// <summary>A call whose arguments the model wrote. What is no JSON object gives a call with its exception set.</summary>
    /// <remarks>An object within a string, or alone within an array, is taken out. No text at all means no arguments.</remarks>
    public static FunctionCallContent Call(string callId, string name, string written)
    {
        FunctionCallContent call = FunctionCallContent.CreateFromParsedArguments(written, callId, name, Parse);
        call.RawRepresentation = written;
        return call;
    }

    /// <summary>A result as text: a string as it is, an error as its message, all else as one line of JSON.</summary>
    /// <exception cref="NotSupportedException">The result holds content that is not text.</exception>
    public static string Result(FunctionResultContent result) => result.Result switch
    {
        null => result.Exception is { } error ? $"Error: {error.Message}" : "null",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        JsonElement { ValueKind: JsonValueKind.Undefined } => "null",
        TextContent text => text.Text,
        AIContent other => throw Unsupported.Content(other, "A function's result"),
        IEnumerable<AIContent> contents => string.Concat(contents.Select(content => content is TextContent text
            ? text.Text : throw Unsupported.Content(content, "A function's result"))),
        { } value => Serialize(value),
    };

    private static string Serialize(object value)
    {
        try
        {
            return JsonSerializer.Serialize(value, Compact.GetTypeInfo(value.GetType()));
        }
        catch (NotSupportedException)
        {
            // Trimmed, an application has no description of a type that it did not register.
            return value.ToString() ?? "";
        }
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
        // Half of a surrogate pair parses, and fails whoever reads it; better here, where a failure is reported.
        Serialize(arguments);
        return arguments;
    }

    private static JsonSerializerOptions MakeCompact()
    {
        var options = new JsonSerializerOptions(AIJsonUtilities.DefaultOptions)
        {
            WriteIndented = false,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            // What a function returns is told to the model, however deep it is, even if it holds itself, and whatever its numbers are.
            MaxDepth = 1000,
            ReferenceHandler = ReferenceHandler.IgnoreCycles,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };
        options.MakeReadOnly();
        return options;
    }
}
