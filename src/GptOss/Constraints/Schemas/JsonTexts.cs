using System.Runtime.InteropServices;
using System.Text.Json;

namespace GptOss.Constraints.Schemas;

/// <summary>The text of a JSON value, as far as its size and nesting matter.</summary>
internal static class JsonTexts
{
    private const int MostBytes = 4 << 20,
        MostNesting = 64;

    /// <summary>The bytes of a value's text.</summary>
    public static int Length(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).Length;

    /// <summary>Refuses a text that is longer or nests deeper than what is read.</summary>
    public static void RefuseLarge(JsonElement value, CompileBudget budget)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
            throw SchemaErrors.Wrong("", "an object, true or false, and is nothing at all");
        ReadOnlySpan<byte> text = JsonMarshal.GetRawUtf8Value(value);
        if (text.Length > MostBytes)
            throw SchemaErrors.Large("", $"has {text.Length:N0} bytes, and the limit is {MostBytes:N0}");
        var reader = new Utf8JsonReader(
            text,
            new JsonReaderOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                MaxDepth = 10_000,
            }
        );
        while (reader.Read())
            if (reader.CurrentDepth > MostNesting || (reader.CurrentDepth == MostNesting && Opens(reader.TokenType)))
                throw SchemaErrors.Large("", $"nests deeper than {MostNesting} levels, which is the limit");
        budget.Take(text.Length / 8);
    }

    private static bool Opens(JsonTokenType token) => token is JsonTokenType.StartArray or JsonTokenType.StartObject;
}
