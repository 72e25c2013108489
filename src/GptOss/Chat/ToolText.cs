using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Converts the arguments of function calls between .NET values and the JSON text that the model writes, and holds the
/// JSON options by which <see cref="ResultText"/> writes results.
/// </summary>
internal static class ToolText
{
    private static readonly JsonSerializerOptions Options = MakeOptions();

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

    /// <summary>
    /// Whether arguments that the model wrote say the same as the arguments of a call, whatever their spacing and
    /// escapes.
    /// </summary>
    /// <param name="written">The arguments as the model wrote them.</param>
    /// <param name="compact">The call's arguments, as <see cref="Arguments"/> returns them.</param>
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
            return value.GetRawText(); // half of a surrogate pair, which only an escape such as \ud800 can express
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
        // Half of a surrogate pair parses, but throws when somebody reads the argument. Writing the arguments once
        // throws here already, where the failure becomes the call's exception.
        Compact(Element(arguments));
        return arguments;
    }

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions(AIJsonUtilities.DefaultOptions)
        {
            WriteIndented = false,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            // A function's result is shown to the model even if it is nested deeply, refers to itself, or holds numbers
            // such as infinity, which JSON lacks.
            MaxDepth = 1000,
            ReferenceHandler = ReferenceHandler.IgnoreCycles,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };
        options.MakeReadOnly();
        return options;
    }
}
