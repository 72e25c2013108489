using System.Text.Json;
using GptOss.Harmony;

namespace GptOss.Tests.Harmony;

/// <summary>Schemas that others wrote, and the words in them.</summary>
internal sealed class PublishedSchemas
{
    public static string[] Files { get; } = ["tools.jsonl", "field.jsonl", "suite.jsonl", "bench.jsonl"];

    private readonly JsonElement _root;
    private readonly HashSet<string> _open = [];

    private PublishedSchemas(JsonElement root) => _root = root;

    public HashSet<string> Names { get; } = [];

    public HashSet<string> Values { get; } = [];

    public static bool Exist(string file) => File.Exists(PathOf(file));

    public static IEnumerable<(string Id, JsonElement Schema)> Read(string file) =>
        from line in File.ReadLines(PathOf(file))
        let item = JsonElement.Parse(line)
        select (item.GetProperty("id").GetString()!, item.GetProperty("schema"));

    public static PublishedSchemas Words(JsonElement schema)
    {
        var words = new PublishedSchemas(schema);
        words.Walk(schema);
        return words;
    }

    /// <summary>The smaller two are part of the repository; the others lie beside it where they were fetched.</summary>
    private static string PathOf(string file) =>
        new[]
        {
            Repository.Vector("constraints", file),
            Path.Combine(Repository.Root, "shared", "constraints", file),
        }.FirstOrDefault(File.Exists)
        ?? Path.Combine(Repository.Root, "..", "shared", "constraints", file);

    private void Walk(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
            return;
        foreach (JsonProperty member in schema.EnumerateObject())
        {
            switch (member.Name)
            {
                case "properties" when member.Value.ValueKind == JsonValueKind.Object:
                    foreach (JsonProperty property in member.Value.EnumerateObject())
                    {
                        Names.Add(property.Name);
                        Walk(property.Value);
                    }
                    break;
                case "patternProperties" or "dependentSchemas" when member.Value.ValueKind == JsonValueKind.Object:
                    foreach (JsonProperty property in member.Value.EnumerateObject())
                        Walk(property.Value);
                    break;
                case "items"
                or "prefixItems"
                or "additionalItems"
                or "additionalProperties"
                or "propertyNames"
                or "contains"
                or "anyOf"
                or "oneOf"
                or "allOf"
                or "if"
                or "then"
                or "else":
                    if (member.Value.ValueKind == JsonValueKind.Array)
                        member.Value.EnumerateArray().ToList().ForEach(Walk);
                    else
                        Walk(member.Value);
                    break;
                case "enum" when member.Value.ValueKind == JsonValueKind.Array:
                    member.Value.EnumerateArray().ToList().ForEach(Value);
                    break;
                case "const":
                    Value(member.Value);
                    break;
                case "$ref" when member.Value.ValueKind == JsonValueKind.String && _open.Add(member.Value.GetString()!):
                    if (JsonPointer.TryFind(_root, member.Value.GetString()!, out JsonElement target))
                        Walk(target);
                    break;
            }
        }
    }

    private void Value(JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            Values.Add(
                value.ValueKind == JsonValueKind.String ? SchemaText.Quoted(value.GetString()!) : value.GetRawText()
            );
    }
}
