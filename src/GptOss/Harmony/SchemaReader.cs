using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Reads the JSON schema of one tool's parameters into a <see cref="ToolType"/>. Keywords that the reader does not
/// understand are ignored, and no schema is an error.
/// </summary>
/// <remarks>
/// Keywords beside a choice (<c>anyOf</c>, <c>oneOf</c>, <c>if</c>) hold for each of its variants; a variant that adds
/// neither a type nor a property nor a value is left out. <c>allOf</c> is merged. References are followed until they
/// lead into themselves. <c>not</c> is ignored.
/// </remarks>
internal sealed class SchemaReader
{
    // Copying 64 characters of a text costs about as much as looking at one member.
    private const int CharactersOfStep = 64;

    // Dependent schemas are merged into the type 512 at a time, so that where the budget ends within them, those read
    // before are shown.
    private const int PartsAtOnce = 512;

    private readonly SchemaBudget _budget;
    private readonly SchemaReferences _references;
    private readonly ToolTypeComparer _comparer;
    private readonly ToolTypeAlgebra _algebra;
    private readonly HashSet<string> _open = ["#"];

    /// <param name="root">The whole schema, within which references lead.</param>
    /// <param name="budget">Limits what is read of the schema.</param>
    public SchemaReader(JsonElement root, SchemaBudget budget)
    {
        _budget = budget;
        _references = new SchemaReferences(root, budget);
        _comparer = new ToolTypeComparer(budget);
        _algebra = new ToolTypeAlgebra(budget, _comparer);
    }

    /// <summary>Reads one part of the schema; a value that is not an object means any type.</summary>
    /// <param name="schema">The part, or another JSON value in its place.</param>
    /// <param name="name">The property or function that the part describes; null for none.</param>
    /// <param name="depth">The number of types that the part is nested in.</param>
    public ToolType Read(JsonElement schema, string? name, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object)
            return ToolType.Any;
        try
        {
            return _budget.Enter(depth) ? Object(schema, name, depth) : ToolType.Any;
        }
        finally
        {
            _budget.Leave();
        }
    }

    private ToolType Object(JsonElement schema, string? name, int depth)
    {
        OrderedDictionary<string, JsonElement> members = JsonText.Members(schema);
        _budget.Step(members.Count);
        ToolType type = Own(members, name, depth);
        foreach (string keyword in (string[])["$ref", "$dynamicRef", "$recursiveRef"])
        {
            if (members.TryGetValue(keyword, out JsonElement reference))
                type = _algebra.And(type, Follow(reference, depth));
        }
        foreach (JsonElement part in List(members, "allOf"))
            type = _algebra.And(type, Read(part, name, depth));
        foreach (string keyword in (string[])["anyOf", "oneOf"])
        {
            ToolType[] variants = [.. List(members, keyword).Select(one => Read(one, null, depth + 1))];
            if (variants.Length > 0)
                type = _algebra.Choice(type, variants, asList: keyword == "anyOf");
        }
        return Conditions(type, members, depth);
    }

    private ToolType Follow(JsonElement reference, int depth)
    {
        string pointer = reference.ValueKind == JsonValueKind.String ? JsonString.Of(reference) : "";
        if (_references.Find(pointer) is not { } target || !_open.Add(pointer))
            return ToolType.Any;
        ToolType type = Read(target, null, depth);
        _open.Remove(pointer);
        return type;
    }

    /// <summary>
    /// Adds the conditional parts of a schema (<c>if</c>, <c>dependentRequired</c> and so on) to its type, as
    /// properties that may be there.
    /// </summary>
    private ToolType Conditions(ToolType type, OrderedDictionary<string, JsonElement> members, int depth)
    {
        foreach (string keyword in (string[])["if", "then", "else"])
        {
            if (members.TryGetValue(keyword, out JsonElement part))
                type = _algebra.Maybe(type, Read(part, null, depth));
        }
        foreach (string keyword in (string[])["dependentSchemas", "dependentRequired", "dependencies"])
        {
            IEnumerable<ToolType> parts = Map(members, keyword)
                .SelectMany(one => (ToolType[])[Named([one.Key, .. Strings(one.Value)]), Read(one.Value, null, depth)])
                .Where(part => !part.SaysNothing);
            foreach (ToolType[] some in parts.Chunk(PartsAtOnce))
                type = _algebra.MaybeEach(type, some);
        }
        return type;

        static ToolType Named(IEnumerable<string> names) =>
            ToolType.Any with
            {
                Words = ["object"],
                Properties = new OrderedDictionary<string, ToolType>(
                    names.Distinct().Select(name => KeyValuePair.Create(name, ToolType.Any))
                ),
            };
    }

    /// <summary>The type without references, choices and conditions: what the schema's own keywords say.</summary>
    private ToolType Own(OrderedDictionary<string, JsonElement> members, string? name, int depth)
    {
        ToolType type = Shape(members, depth);
        string? title = TextOf(members, "title");
        bool hasDefault =
            members.TryGetValue("default", out JsonElement value) && value.ValueKind != JsonValueKind.Null;
        return type with
        {
            Title = title == name ? null : title,
            Description = TextOf(members, "description"),
            Default = hasDefault ? Json(value) : null,
            Examples = [.. List(members, "examples").Select(Json)],
            IsBare =
                type.Words is ["string" or "number" or "boolean"]
                && members.Keys.All(member => member is "type" or "nullable" or "format"),
        };
    }

    private ToolType Shape(OrderedDictionary<string, JsonElement> members, int depth)
    {
        List<string> words = Words(members);
        bool orNull =
            members.TryGetValue("nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True;
        if (words.Count == 2 && words.Remove("null"))
            orNull = true;
        List<string>? literals = Literals(members, ref orNull);

        var properties = new OrderedDictionary<string, ToolType>();
        foreach ((string name, JsonElement property) in Map(members, "properties"))
            properties[name] = Read(property, name, depth + 1);
        var required = new HashSet<string>(List(members, "required").Where(IsText).Select(JsonString.Of));
        foreach (string name in required)
            properties.TryAdd(name, ToolType.Any);
        return new ToolType
        {
            Words =
                words.Count > 0 ? words
                : literals is null ? SchemaWords.Implied(members.Keys)
                : [],
            Nullable = orNull,
            Literals = literals,
            Properties = properties,
            Required = required,
            Indexes = [.. Indexes(members, hasNames: properties.Count > 0, depth)],
            Items = Items(members, depth),
            Tuple = Tuple(members, depth),
        };
    }

    private List<string> Words(OrderedDictionary<string, JsonElement> members)
    {
        IEnumerable<string> named =
            !members.TryGetValue("type", out JsonElement type) ? []
            : IsText(type) ? [JsonString.Of(type)]
            : Strings(type);
        return [.. named.Select(SchemaWords.Word).OfType<string>().Distinct()];
    }

    private List<string>? Literals(OrderedDictionary<string, JsonElement> members, ref bool orNull)
    {
        IEnumerable<JsonElement> values = List(members, "enum");
        if (members.TryGetValue("const", out JsonElement constant))
            values = values.Append(constant);
        var literals = new OrderedDictionary<string, bool>();
        bool hasNull = false;
        foreach (JsonElement value in values)
        {
            if (value.ValueKind == JsonValueKind.Null)
                hasNull = true;
            else
                literals[value.ValueKind == JsonValueKind.Number ? value.GetRawText() : Json(value)] = true;
        }
        if (hasNull && literals.Count == 0)
            return ["null"];
        orNull |= hasNull;
        return literals.Count > 0 ? [.. literals.Keys] : null;
    }

    private IEnumerable<ToolIndex> Indexes(OrderedDictionary<string, JsonElement> members, bool hasNames, int depth)
    {
        foreach ((string pattern, JsonElement value) in Map(members, "patternProperties"))
            yield return new ToolIndex("string", SchemaText.Quoted(pattern), Read(value, null, depth + 1));
        string key =
            members.TryGetValue("propertyNames", out JsonElement names)
            && Read(names, null, depth + 1) is { Literals: { } literals } named
                ? string.Join(" | ", literals.Concat(named.Nullable ? ["null"] : []).Distinct())
                : "string";
        bool isSaid = false;
        foreach (string keyword in (string[])["additionalProperties", "unevaluatedProperties"])
        {
            if (
                !members.TryGetValue(keyword, out JsonElement value)
                || value.ValueKind is not (JsonValueKind.Object or JsonValueKind.True)
            )
                continue;
            ToolType held = Read(value, null, depth + 1);
            if (held.SaysNothing && key == "string" && (hasNames || members.ContainsKey("patternProperties")))
                continue;
            isSaid = true;
            yield return new ToolIndex(key, null, held);
        }
        if (!isSaid && key != "string")
            yield return new ToolIndex(key, null, ToolType.Any);
    }

    private ToolType? Items(OrderedDictionary<string, JsonElement> members, int depth)
    {
        ToolType? items = null;
        foreach (string keyword in (string[])["items", "additionalItems", "unevaluatedItems"])
        {
            if (
                members.TryGetValue(keyword, out JsonElement held)
                && (
                    keyword == "items"
                        ? held.ValueKind is not (JsonValueKind.Array or JsonValueKind.False)
                        : held.ValueKind == JsonValueKind.Object
                )
            )
                items = Read(held, null, depth + 1) is var read && items is null ? read : _algebra.Maybe(items!, read);
        }
        // "contains" holds for one item of the array; the others may be anything that "items" allows.
        if (
            members.TryGetValue("contains", out JsonElement contained)
            && contained.ValueKind == JsonValueKind.Object
            && Read(contained, null, depth + 1) is var one
            && _comparer.Adds(items ?? ToolType.Any, one)
        )
            items = _algebra.OneOf([one, items ?? ToolType.Any]);
        return items;
    }

    private List<ToolType>? Tuple(OrderedDictionary<string, JsonElement> members, int depth)
    {
        IEnumerable<JsonElement> items = [.. List(members, "prefixItems"), .. List(members, "items")];
        List<ToolType> tuple = [.. items.Select(item => Read(item, null, depth + 1))];
        return tuple.Count > 0 ? tuple : null;
    }

    private string Json(JsonElement value)
    {
        string json = SchemaText.Json(value, () => _budget.Note("has a value that is nested too deeply"));
        _budget.Step(json.Length / CharactersOfStep);
        return json;
    }

    private string? TextOf(OrderedDictionary<string, JsonElement> members, string name)
    {
        if (!members.TryGetValue(name, out JsonElement value) || !IsText(value))
            return null;
        string text = JsonString.Of(value);
        _budget.Step(text.Length / CharactersOfStep);
        return text;
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String;

    private IEnumerable<JsonElement> List(OrderedDictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out JsonElement list) ? List(list) : [];

    private IEnumerable<JsonElement> List(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().TakeWhile(_ => _budget.Step() && !_budget.IsSpent)
            : [];

    private IEnumerable<string> Strings(JsonElement list) => List(list).Where(IsText).Select(JsonString.Of);

    private IEnumerable<KeyValuePair<string, JsonElement>> Map(
        OrderedDictionary<string, JsonElement> members,
        string name
    ) =>
        members.TryGetValue(name, out JsonElement map) && map.ValueKind == JsonValueKind.Object
            ? JsonText.Members(map).TakeWhile(_ => _budget.Step() && !_budget.IsSpent)
            : [];
}
