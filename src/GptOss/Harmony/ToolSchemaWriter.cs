using System.Text;
using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Writes a JSON schema as a TypeScript type exactly as OpenAI's harmony library 0.0.8 does, quirks included.
/// </summary>
/// <remarks>
/// Keywords that the library ignores (<c>anyOf</c>, <c>$ref</c>, <c>format</c> and so on) are ignored here. The chat
/// client uses <see cref="SchemaCleaner"/>, which shows more of a schema.
/// </remarks>
internal sealed class ToolSchemaWriter
{
    /// <summary>The reason why a type is cut, as the end of a sentence.</summary>
    public static string TooDeep { get; } = $"is nested more than {SchemaBudget.MaximumDepth} levels deep";

    private bool _isCut;

    private ToolSchemaWriter() { }

    /// <summary>The type that a schema describes.</summary>
    /// <param name="schema">Any JSON. Half of a surrogate pair in it becomes U+FFFD.</param>
    /// <param name="isCut">Whether the schema is nested too deeply: what lies deeper is written as <c>any</c>.</param>
    public static string Write(JsonElement schema, out bool isCut)
    {
        var writer = new ToolSchemaWriter();
        string type = writer.Type(schema, "", 0);
        isCut = writer._isCut;
        return type;
    }

    private string Type(JsonElement schema, string indent, int depth)
    {
        if (depth >= SchemaBudget.MaximumDepth)
        {
            _isCut = true;
            return "any";
        }
        if (Get(schema, "oneOf") is { ValueKind: JsonValueKind.Array } variants)
            return string.Concat(
                variants
                    .EnumerateArray()
                    .Select(variant =>
                        "\n"
                        + Variant(variant, indent, depth, TextOf(variant, "description"), DefaultOfVariant(variant))
                    )
            );

        JsonElement? type = Get(schema, "type");
        if (type is { ValueKind: JsonValueKind.Array } types)
        {
            string[] words = [.. Strings(types).Select(word => word == "integer" ? "number" : word)];
            return words.Length > 0 ? string.Join(" | ", words) : "any";
        }
        return TextOf(schema, "type") switch
        {
            "object" => Object(schema, indent, depth),
            "string" => Enumeration(schema) ?? "string",
            "number" or "integer" => "number",
            "boolean" => "boolean",
            "array" => Get(schema, "items") is { } items ? Type(items, indent, depth + 1) + "[]" : "Array<any>",
            _ => "any",
        };
    }

    private static string? Enumeration(JsonElement schema)
    {
        if (Get(schema, "enum") is not { ValueKind: JsonValueKind.Array } members)
            return null;
        string[] words = [.. Strings(members).Select(word => $"\"{word}\"")];
        return words.Length > 0 ? string.Join(" | ", words) : null;
    }

    private string Object(JsonElement schema, string indent, int depth)
    {
        var text = new StringBuilder();
        if (TextOf(schema, "description") is { } description)
            text.Append($"{indent}// {description}\n");
        text.Append("{\n");
        if (Get(schema, "properties") is { ValueKind: JsonValueKind.Object } properties)
        {
            HashSet<string> required = Get(schema, "required") is { ValueKind: JsonValueKind.Array } list
                ? [.. Strings(list)]
                : [];
            foreach ((string name, JsonElement property) in JsonText.Members(properties))
            {
                AppendComments(text, property, indent);
                string key = indent + name + (required.Contains(name) ? ":" : "?:");
                if (Get(property, "oneOf") is { ValueKind: JsonValueKind.Array })
                    AppendVariants(text, key, property, indent, depth);
                else
                    AppendProperty(text, key, property, indent, depth);
            }
        }
        return text.Append(indent).Append('}').ToString();
    }

    private static void AppendComments(StringBuilder text, JsonElement property, string indent)
    {
        if (TextOf(property, "title") is { } title)
            text.Append($"{indent}// {title}\n{indent}//\n");
        if (Get(property, "oneOf") is null && TextOf(property, "description") is { } description)
            text.Append($"{indent}// {description}\n");
        if (Get(property, "examples") is { ValueKind: JsonValueKind.Array } examples && examples.GetArrayLength() > 0)
        {
            text.Append($"{indent}// Examples:\n");
            foreach (string example in Strings(examples))
                text.Append($"{indent}// - \"{example}\"\n");
        }
    }

    private void AppendProperty(StringBuilder text, string key, JsonElement property, string indent, int depth)
    {
        text.Append($"{key} {OrNull(property, Type(property, indent + "    ", depth + 1))},");
        if (Get(property, "oneOf") is null && Get(property, "default") is { } value)
            text.Append($" // default: {Default(property, value)}");
        text.Append('\n');
    }

    private void AppendVariants(StringBuilder text, string key, JsonElement property, string indent, int depth)
    {
        JsonElement[] variants = [.. Get(property, "oneOf")!.Value.EnumerateArray()];
        string? description = TextOf(property, "description");
        bool above =
            description is not null && (variants.Length == 0 || TextOf(variants[0], "description") != description);
        if (above)
            text.Append($"{indent}// {description}\n");
        if (Get(property, "default") is { } value)
            text.Append($"{indent}// default: {Default(property, value)}\n");
        text.Append($"{key}\n");
        for (int i = 0; i < variants.Length; i++)
        {
            string? comment = TextOf(variants[i], "description");
            if (comment == description || (i == 0 && above))
                comment = null;
            string? ownDefault = Get(variants[i], "default") is { } own ? Default(variants[i], own) : null;
            text.Append(Variant(variants[i], indent, depth, comment, ownDefault)).Append('\n');
        }
        text.Append($"{indent},\n");
    }

    private string Variant(JsonElement variant, string indent, int depth, string? comment, string? value)
    {
        string type = OrNull(variant, Type(variant, indent + "   ", depth + 1));
        string[] comments = [.. new[] { comment, value is null ? null : $"default: {value}" }.OfType<string>()];
        return $"{indent} | {type}{(comments.Length > 0 ? " // " + string.Join(' ', comments) : "")}";
    }

    private static string OrNull(JsonElement schema, string type) =>
        Get(schema, "nullable")?.ValueKind == JsonValueKind.True && !type.Contains("null", StringComparison.Ordinal)
            ? type + " | null"
            : type;

    private string Default(JsonElement schema, JsonElement value) =>
        value.ValueKind != JsonValueKind.String ? JsonText.Compact(value, () => _isCut = true)
        : IsEnumeration(schema) ? JsonString.Of(value)
        : $"\"{JsonString.Of(value)}\"";

    /// <summary>
    /// The default of a variant where <c>oneOf</c> is the whole type: there the library also quotes the default of an
    /// enumeration.
    /// </summary>
    private string? DefaultOfVariant(JsonElement variant) =>
        Get(variant, "default") is not { } value ? null
        : value.ValueKind == JsonValueKind.String && IsEnumeration(variant)
            ? JsonText.Compact(value, () => _isCut = true)
        : Default(variant, value);

    private static bool IsEnumeration(JsonElement schema) =>
        Get(schema, "enum") is { ValueKind: JsonValueKind.Array } members && members.GetArrayLength() > 0;

    private static JsonElement? Get(JsonElement schema, string name) =>
        schema.ValueKind == JsonValueKind.Object && JsonText.TryGet(schema, name, out JsonElement value) ? value : null;

    private static string? TextOf(JsonElement schema, string name) =>
        Get(schema, name) is { ValueKind: JsonValueKind.String } text ? JsonString.Of(text) : null;

    private static IEnumerable<string> Strings(JsonElement array) =>
        from item in array.EnumerateArray()
        where item.ValueKind == JsonValueKind.String
        select JsonString.Of(item);
}
