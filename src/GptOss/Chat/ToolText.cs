using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Arguments and results of calls as the text that the model writes and reads.</summary>
internal static class ToolText
{
    private static readonly JsonSerializerOptions Options = MakeOptions();

    /// <summary>The arguments as one line of JSON; an argument that cannot be read is a text that says so.</summary>
    public static string Arguments(FunctionCallContent call)
    {
        if (call.Arguments is not { } arguments)
            return "{}";
        try
        {
            return Compact(Element(arguments));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            var readable = new Dictionary<string, object?>();
            foreach ((string name, object? value) in arguments)
                readable[name] = value is null ? null : ResultText.Of(new FunctionResultContent("", value));
            return Compact(Element(readable));
        }
    }

    /// <summary>Whether arguments as they were written say the same as those of a call.</summary>
    /// <param name="written">What the model wrote.</param>
    /// <param name="compact">The call's, as <see cref="Arguments"/> has them.</param>
    public static bool Same(string written, string compact)
    {
        try
        {
            return Compact(Element(Parse(written))) == compact;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// A call whose arguments the model wrote. What is no JSON object gives a call with its exception set.
    /// </summary>
    /// <remarks>
    /// An object within a string, or alone within an array, is taken out. No text at all means no arguments.
    /// </remarks>
    public static FunctionCallContent Call(string callId, string name, string written)
    {
        FunctionCallContent call = FunctionCallContent.CreateFromParsedArguments(written, callId, name, Parse);
        call.RawRepresentation = written;
        return call;
    }

    /// <summary>A value as JSON, by the rules by which Microsoft.Extensions.AI stores conversations.</summary>
    /// <exception cref="NotSupportedException">The application was trimmed and does not know the value's
    /// type.</exception>
    public static JsonElement Element(object value) =>
        value switch
        {
            AIContent content => JsonSerializer.SerializeToElement(content, Options.GetTypeInfo(typeof(AIContent))),
            IEnumerable<AIContent> contents => JsonSerializer.SerializeToElement(
                (IList<AIContent>)[.. contents],
                Options.GetTypeInfo(typeof(IList<AIContent>))
            ),
            IDictionary<string, object?> map => JsonSerializer.SerializeToElement(
                map,
                Options.GetTypeInfo(typeof(IDictionary<string, object?>))
            ),
            _ => JsonSerializer.SerializeToElement(value, Options.GetTypeInfo(value.GetType())),
        };

    /// <summary>JSON on one line.</summary>
    public static string Compact(JsonElement value)
    {
        try
        {
            return JsonSerializer.Serialize(value, (JsonTypeInfo<JsonElement>)Options.GetTypeInfo(typeof(JsonElement)));
        }
        catch (Exception error)
            when (error is InvalidOperationException or JsonException
                && error is not ObjectDisposedException
                && value.ValueKind != JsonValueKind.Undefined
                && !IsTooDeep(value)
            )
        {
            return value.GetRawText(); // half of a surrogate pair, which only its escape can say
        }
    }

    private static bool IsTooDeep(JsonElement value)
    {
        try
        {
            using JsonDocument again = JsonDocument.Parse(
                value.GetRawText(),
                new JsonDocumentOptions { MaxDepth = Options.MaxDepth }
            );
            return false;
        }
        catch (JsonException)
        {
            return true;
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
        Compact(Element(arguments));
        return arguments;
    }

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions(AIJsonUtilities.DefaultOptions)
        {
            WriteIndented = false,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            // What a function returns is told to the model, however deep it is, even if it holds itself, and whatever
            // its numbers are.
            MaxDepth = 1000,
            ReferenceHandler = ReferenceHandler.IgnoreCycles,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };
        options.MakeReadOnly();
        return options;
    }
}
