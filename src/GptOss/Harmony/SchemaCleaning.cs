using System.Text.Json;
using System.Text.Json.Nodes;

namespace GptOss.Harmony;

/// <summary>One pass of the <see cref="SchemaCleaner"/> over one function's schema.</summary>
internal sealed class SchemaCleaning(JsonElement root)
{
    private const int MaximumSchemas = 10_000;

    private readonly List<string> _open = [];
    private int _schemas;

    /// <summary>The text of a node; null if it is none.</summary>
    public static string? Word(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public JsonObject Clean(JsonElement schema, SchemaPlace place)
    {
        if (place.Depth >= ToolSchemaWriter.MaximumDepth)
            throw ToolSchemaWriter.TooDeep();
        if (++_schemas > MaximumSchemas)
        {
            throw new HarmonyFormatException(
                $"A tool's schema has more than {MaximumSchemas} parts once its references are resolved.");
        }
        if (schema.ValueKind != JsonValueKind.Object)
            return [];

        OrderedDictionary<string, JsonElement> members = JsonText.Members(schema);
        if (members.TryGetValue("$ref", out JsonElement reference))
            return Merge(Follow(reference, place), members, "$ref", place);
        if (members.TryGetValue("allOf", out JsonElement all) && IsArray(all) && all.GetArrayLength() == 1)
            return Merge(Clean(all[0], place.Deeper), members, "allOf", place);
        foreach (string keyword in (string[])["anyOf", "oneOf"])
        {
            if (members.TryGetValue(keyword, out JsonElement variants) && IsArray(variants))
                return Merge(Choice(variants, keyword, place), members, keyword, place);
        }
        return Plain(members, place);
    }

    private static bool IsArray(JsonElement value) => value.ValueKind == JsonValueKind.Array;

    private JsonObject Follow(JsonElement reference, SchemaPlace place)
    {
        string pointer = reference.ValueKind == JsonValueKind.String ? reference.GetString()! : "";
        if (_open.Contains(pointer) || !JsonPointer.TryFind(root, pointer, out JsonElement target))
            return [];
        _open.Add(pointer);
        JsonObject cleaned = Clean(target, place.Deeper);
        _open.Remove(pointer);
        return cleaned;
    }

    /// <summary>What stands beside a resolved keyword says it more exactly than what it led to.</summary>
    private JsonObject Merge(
        JsonObject target, OrderedDictionary<string, JsonElement> members, string resolved, SchemaPlace place)
    {
        members.Remove(resolved);
        foreach ((string name, JsonNode? value) in Plain(members, place))
            target[name] = value?.DeepClone();
        return target;
    }

    private JsonObject Choice(JsonElement variants, string keyword, SchemaPlace place)
    {
        var cleaned = new List<JsonObject>();
        bool nullable = false;
        foreach (JsonElement variant in variants.EnumerateArray())
        {
            JsonObject one = Clean(variant, place.Variant);
            if (Word(one["type"]) == "null")
                nullable = true;
            else
                cleaned.Add(one);
        }
        if (cleaned.Count == 0)
            return [];
        if (nullable)
            cleaned[^1]["nullable"] = true;
        if (cleaned.Count == 1)
            return cleaned[0];

        if (keyword == "anyOf" && cleaned.All(IsWord))
        {
            IEnumerable<string> words = cleaned.Select(one => Word(one["type"])!).Distinct();
            bool orNull = cleaned.Any(one => one.ContainsKey("nullable"));
            return new JsonObject { ["type"] = new JsonArray([.. words.Concat(orNull ? ["null"] : []).Select(Node)]) };
        }
        return new JsonObject { ["oneOf"] = new JsonArray([.. cleaned]) };
    }

    /// <summary>Whether the schema is a type and nothing more, so that a list of types can say it.</summary>
    private static bool IsWord(JsonObject schema) =>
        Word(schema["type"]) is "string" or "number" or "integer" or "boolean"
        && schema.All(member => member.Key is "type" or "nullable" or "format");

    private JsonObject Plain(OrderedDictionary<string, JsonElement> members, SchemaPlace place)
    {
        var cleaned = new JsonObject();
        foreach ((string name, JsonElement value) in members)
        {
            bool isText = value.ValueKind == JsonValueKind.String;
            if ((name == "default" && value.ValueKind == JsonValueKind.Null)
                || (name == "title" && isText && value.GetString() == place.Name))
                continue;
            cleaned[name] = name switch
            {
                "properties" when value.ValueKind == JsonValueKind.Object => Properties(value, place),
                "items" => Clean(value, place.Items),
                "title" or "description" when isText => Node(place.Comment(value.GetString()!)),
                _ => Copy(value),
            };
        }
        TypeByValues(cleaned, members);
        TakeNullOut(cleaned);
        return cleaned;
    }

    private JsonObject Properties(JsonElement properties, SchemaPlace place)
    {
        var cleaned = new JsonObject();
        foreach ((string name, JsonElement property) in JsonText.Members(properties))
            cleaned[name] = Clean(property, place.Property(name));
        return cleaned;
    }

    /// <summary>Gives <c>const</c> and <c>enum</c> the type of their values.</summary>
    private static void TypeByValues(JsonObject schema, OrderedDictionary<string, JsonElement> members)
    {
        JsonElement[] values =
            members.TryGetValue("const", out JsonElement constant) ? [constant]
            : members.TryGetValue("enum", out JsonElement list) && IsArray(list) ? [.. list.EnumerateArray()]
            : [];
        JsonValueKind[] kinds = [.. values.Select(value => value.ValueKind).Distinct()];
        bool orNull = kinds.Contains(JsonValueKind.Null);
        JsonValueKind[] others = [.. kinds.Where(kind => kind != JsonValueKind.Null)];
        if (others is [JsonValueKind.String])
        {
            if (members.ContainsKey("const"))
                schema["enum"] = new JsonArray(Copy(values[0]));
            schema["type"] ??= Node("string");
        }
        else if (others is [JsonValueKind.Number])
            schema["type"] ??= Node("number");
        else if (others.Length > 0 && others.All(kind => kind is JsonValueKind.True or JsonValueKind.False))
            schema["type"] ??= Node("boolean");
        if (orNull && others.Length > 0)
            schema["nullable"] = true;
    }

    /// <summary>A list of one type and null becomes that type, nullable: beside a list, all else is ignored.</summary>
    private static void TakeNullOut(JsonObject schema)
    {
        if (schema["type"] is not JsonArray { Count: 2 } types || types.All(type => Word(type) != "null"))
            return;
        if (types.Select(Word).FirstOrDefault(word => word is not null and not "null") is { } only)
        {
            schema["type"] = only;
            schema["nullable"] = true;
        }
    }

    private static JsonNode Node(string text) => JsonValue.Create(text);

    private static JsonNode? Copy(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value),
        JsonValueKind.Array => JsonArray.Create(value),
        _ => JsonValue.Create(value),
    };
}
