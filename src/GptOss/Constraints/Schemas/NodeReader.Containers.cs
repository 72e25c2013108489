using System.Text.Json;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

internal sealed partial class NodeReader
{
    private static IEnumerable<Keyword> Sizes(SchemaFields fields)
    {
        foreach (
            (string suffix, JsonTypes of) in ((string, JsonTypes)[])
                [("Length", JsonTypes.String), ("Items", JsonTypes.Array), ("Properties", JsonTypes.Object)]
        )
        {
            if (fields.TryGet("min" + suffix, out SchemaValue min))
                yield return new SizeKeyword(min.Pointer, of, min.CountToReach(), Max: null);
            if (fields.TryGet("max" + suffix, out SchemaValue max))
                yield return new SizeKeyword(max.Pointer, of, Min: 0, max.Count());
        }
    }

    private IEnumerable<Keyword> Objects(SchemaFields fields)
    {
        if (fields.TryGetFirst(["properties", "patternProperties", "additionalProperties"], out SchemaValue first))
            yield return new ObjectKeyword(
                first.Pointer,
                Properties(fields["properties"]),
                PatternProperties(fields["patternProperties"]),
                Goal(fields["additionalProperties"]),
                Declares: first.Pointer == fields["properties"]?.Pointer || fields.Has("patternProperties")
            );
        if (fields.TryGet("required", out SchemaValue required))
            yield return new RequiredKeyword(required.Pointer, Counted(required, required.Names()), Declares: true);
        if (fields.TryGet("propertyNames", out SchemaValue names))
            yield return new PropertyNamesKeyword(names.Pointer, GoalAt(names));
        foreach (string keyword in (string[])["dependencies", "dependentRequired", "dependentSchemas"])
            if (fields.TryGet(keyword, out SchemaValue dependencies))
                foreach ((string name, SchemaValue then) in Counted(dependencies, dependencies.Members()))
                    yield return Dependency(keyword, name, then);
    }

    // "dependencies" of older drafts is either of its two heirs, as its values are.
    private Keyword Dependency(string keyword, string name, SchemaValue then) =>
        keyword == "dependentRequired" || (keyword == "dependencies" && then.Element.ValueKind == JsonValueKind.Array)
            ? new DependentRequiredKeyword(then.Pointer, name, Counted(then, then.Names()))
            : new DependentSchemaKeyword(then.Pointer, name, GoalAt(then));

    private List<KeyValuePair<string, Goal>> Properties(SchemaValue? properties) =>
        properties is SchemaValue value
            ?
            [
                .. Counted(value, value.Members())
                    .Select(member => KeyValuePair.Create(member.Key, GoalAt(member.Value))),
            ]
            : [];

    private List<(CodePointDfa, Goal)> PatternProperties(SchemaValue? properties) =>
        properties is SchemaValue value
            ?
            [
                .. Counted(value, value.Members())
                    .Where(member => !_leftOut.Contains(member.Value.Pointer))
                    .Select(member => (NamesOf(member.Key, member.Value), GoalAt(member.Value))),
            ]
            : [];

    private List<T> Counted<T>(SchemaValue value, List<T> properties)
    {
        _properties += properties.Count;
        if (properties.Count > MostProperties)
            throw SchemaErrors.Limit(
                value.Pointer,
                $"has {properties.Count:N0} names, and the limit is {MostProperties:N0}"
            );
        if (_properties > MostPropertiesInAll)
            throw SchemaErrors.Limit(
                value.Pointer,
                $"brings all properties to {_properties:N0}, and the limit is {MostPropertiesInAll:N0}"
            );
        return properties;
    }

    private IEnumerable<Keyword> Arrays(SchemaFields fields)
    {
        if (fields.TryGetFirst(["prefixItems", "items"], out SchemaValue first))
            yield return Items(fields, first);
        if (fields.TryGet("uniqueItems", out SchemaValue unique) && unique.Flag())
            yield return new UniqueKeyword(unique.Pointer);
        if (fields.TryGet("contains", out SchemaValue contains))
            yield return new ContainsKeyword(
                contains.Pointer,
                GoalAt(contains),
                fields["minContains"]?.CountToReach() ?? 1,
                fields["maxContains"]?.Count()
            );
    }

    // Before 2020-12, "items" with a list is the prefix, and "additionalItems" the rest.
    private ArrayKeyword Items(SchemaFields fields, SchemaValue first) =>
        fields["items"] is SchemaValue items && items.Element.ValueKind == JsonValueKind.Array
            ? new(items.Pointer, Tuple(items), Goal(fields["additionalItems"]))
            : new(
                first.Pointer,
                fields["prefixItems"] is SchemaValue prefix ? Tuple(prefix) : [],
                Goal(fields["items"])
            );

    private IEnumerable<Keyword> Unevaluated(SchemaFields fields)
    {
        if (fields.TryGet("unevaluatedProperties", out SchemaValue properties))
            yield return new UnevaluatedKeyword(properties.Pointer, JsonTypes.Object, GoalAt(properties));
        if (fields.TryGet("unevaluatedItems", out SchemaValue items))
            yield return new UnevaluatedKeyword(items.Pointer, JsonTypes.Array, GoalAt(items));
    }
}
