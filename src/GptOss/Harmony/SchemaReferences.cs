using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Finds the parts of one schema that its references name: by a pointer such as <c>#/$defs/City</c>, by an anchor or by
/// an id.
/// </summary>
/// <param name="root">The whole schema, within which references lead.</param>
/// <param name="budget">Limits the search for anchors and ids.</param>
internal sealed class SchemaReferences(JsonElement root, SchemaBudget budget)
{
    private const int MaximumDepth = 64;

    private readonly Dictionary<string, JsonElement?> _found = new() { ["#"] = root };
    private Dictionary<string, JsonElement>? _named;

    /// <summary>
    /// The part of the schema that a reference names; null where the reference leads out of the schema or nowhere.
    /// </summary>
    public JsonElement? Find(string reference)
    {
        if (!_found.TryGetValue(reference, out JsonElement? target))
            _found[reference] = target = Look(reference);
        return target;
    }

    private JsonElement? Look(string reference)
    {
        if (JsonPointer.TryFind(root, reference, out JsonElement target))
            return target;
        if (_named is null)
        {
            _named = [];
            Name(root, 0);
        }
        // A reference may begin with an id and go on with a pointer: city.json#/$defs/Name.
        int hash = reference.IndexOf('#', StringComparison.Ordinal);
        return _named.TryGetValue(reference, out target) ? target
            : hash > 0
            && _named.TryGetValue(reference[..hash], out JsonElement part)
            && JsonPointer.TryFind(part, reference[hash..], out target)
                ? target
            : null;
    }

    private void Name(JsonElement value, int depth)
    {
        if (depth > MaximumDepth || !budget.Step())
            return;
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
                Name(item, depth + 1);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in value.EnumerateObject())
            {
                if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                    Name(member.Value, depth + 1);
                else if (member.Value.ValueKind == JsonValueKind.String)
                    NameBy(JsonString.NameOf(member), JsonString.Of(member.Value), value);
            }
        }
    }

    private void NameBy(string keyword, string name, JsonElement schema)
    {
        if (keyword is "$anchor" or "$dynamicAnchor")
            _named!.TryAdd("#" + name, schema);
        else if (keyword is "$id" or "id")
        {
            _named!.TryAdd(name.TrimEnd('#'), schema);
            _named.TryAdd(name[(name.LastIndexOf('/') + 1)..], schema);
        }
    }
}
