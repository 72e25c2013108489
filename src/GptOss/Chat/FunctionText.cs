using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Arguments and results of functions as the text that the model reads.</summary>
internal static class FunctionText
{
    // The model was trained on plain letters; nothing here goes into HTML.
    private static readonly JsonSerializerOptions Options =
        new(AIJsonUtilities.DefaultOptions) { WriteIndented = false, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(IDictionary<string, object?>? arguments) => arguments is null ? "{}" : Serialize(arguments);

    /// <summary>A string as it is, everything else as compact JSON.</summary>
    public static string OfResult(object? result) => result switch
    {
        null => "null",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        TextContent text => text.Text,
        _ => Serialize(result),
    };

    private static string Serialize(object value)
    {
        try
        {
            JsonTypeInfo type = Options.GetTypeInfo(value is IDictionary<string, object?> ? typeof(IDictionary<string, object?>) : value.GetType());
            return JsonSerializer.Serialize(value, type);
        }
        catch (NotSupportedException)
        {
            return value.ToString() ?? "";   // a type that the trimmed application cannot serialise
        }
    }
}
