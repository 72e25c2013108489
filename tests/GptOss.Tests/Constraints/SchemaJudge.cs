using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace GptOss.Tests.Constraints;

/// <summary>
/// The verdict of JsonSchema.Net, a validator that others wrote. The spellings of older drafts and of OpenAPI are put
/// into those of 2020-12 first, because a validator would pass over them.
/// </summary>
internal sealed class SchemaJudge
{
    private static readonly EvaluationOptions Options = new() { RequireFormatValidation = true };
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonSchema _schema;

    public SchemaJudge(string schema)
    {
        JsonNode? modern = Modern(JsonNode.Parse(schema));
        _schema = JsonSchema.FromText(
            modern!.ToJsonString(),
            new BuildOptions { SchemaRegistry = new SchemaRegistry(), Dialect = Dialect.Draft202012 }
        );
    }

    /// <summary>What is wrong with a text; null where it is JSON, names nothing twice and fits the schema.</summary>
    public string? Fault(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Strict);
            return _schema.Evaluate(document.RootElement, Options).IsValid ? null : "it does not fit";
        }
        catch (JsonException error)
        {
            return error.Message;
        }
    }

    private static JsonNode? Modern(JsonNode? node)
    {
        if (node is JsonArray array)
            return new JsonArray([.. array.Select(Modern)]);
        if (node is not JsonObject old)
            return node?.DeepClone();
        var modern = new JsonObject();
        foreach ((string keyword, JsonNode? value) in old)
            modern[keyword] = Modern(value);
        if (old["nullable"]?.GetValueKind() == JsonValueKind.True && modern["type"] is JsonValue type)
            modern["type"] = new JsonArray(type.DeepClone(), "null");
        if (old["items"] is JsonArray)
            (modern["prefixItems"], modern["items"]) = (
                Taken(modern, "items"),
                Taken(modern, "additionalItems") ?? true
            );
        if (old["dependencies"] is JsonObject)
            modern["dependentRequired"] = Taken(modern, "dependencies");
        foreach (string bound in (string[])["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
            if (modern[bound] is JsonValue limit && limit.GetValueKind() == JsonValueKind.String)
                modern[bound] = JsonNode.Parse(limit.GetValue<string>());
        CountCodePoints(modern);
        return modern;
    }

    // The standard counts code points, and JsonSchema.Net what a reader takes for one letter: of two letters and the
    // accents on them it sees two. Its patterns see every half of a surrogate pair.
    private static void CountCodePoints(JsonObject schema)
    {
        if (schema["minLength"] is null && schema["maxLength"] is null)
            return;
        string least = Taken(schema, "minLength")?.ToJsonString() ?? "0",
            most = Taken(schema, "maxLength")?.ToJsonString() ?? "";
        if (schema["allOf"] is not JsonArray all)
            schema["allOf"] = all = [];
        all.Add(
            new JsonObject
            {
                ["pattern"] =
                    $$"""^(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^\uD800-\uDFFF]){{{least}},{{most}}}(?![\s\S])""",
            }
        );
    }

    private static JsonNode? Taken(JsonObject schema, string keyword)
    {
        JsonNode? value = schema[keyword];
        schema.Remove(keyword);
        return value;
    }
}
