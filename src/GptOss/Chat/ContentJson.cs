using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Writes what tools take and give, and contents of Microsoft.Extensions.AI, as JSON that the model reads.
/// </summary>
internal static class ContentJson
{
    private static readonly JsonSerializerOptions Options = MakeOptions();

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
