using System.Text.Json;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// Reads a JSON Schema of any draft into nodes, those that are reached from its root only. Wrong values, slips of the
/// pen and what is larger than the limits are errors here; nodes are read from a queue, so that no nesting or chain of
/// references is deep for this code.
/// </summary>
internal sealed partial class NodeReader
{
    private const int MostNodes = 100_000,
        MostProperties = 2_000,
        MostPropertiesInAll = 20_000,
        MostValues = 10_000,
        MostValuesInAll = 50_000,
        MostValueBytes = 1 << 20;

    private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);
    private readonly Queue<(SchemaNode Node, SchemaValue Value)> _unread = new();
    private readonly NodeReferences _references;
    private readonly CompileBudget _budget;
    private readonly IReadOnlySet<string> _leftOut;
    private int _properties,
        _values,
        _valueBytes;

    private NodeReader(JsonElement schema, IReadOnlySet<string> leftOut, CompileBudget budget)
    {
        _references = new(schema, budget);
        (_leftOut, _budget) = (leftOut, budget);
    }

    /// <summary>Reads a schema and all that it reaches.</summary>
    /// <param name="schema">The schema, whose size and nesting have been looked at.</param>
    /// <param name="leftOut">Pointers to keywords that are read as if they were not there.</param>
    /// <param name="budget">Pays for the reading.</param>
    /// <exception cref="SchemaException">The schema is wrong, or larger than a limit.</exception>
    /// <exception cref="UnsupportedException">A keyword is not supported.</exception>
    public static SchemaNode Read(JsonElement schema, IReadOnlySet<string> leftOut, CompileBudget budget)
    {
        var reader = new NodeReader(schema, leftOut, budget);
        SchemaNode root = reader.NodeAt(new(schema, ""));
        while (reader._unread.TryDequeue(out (SchemaNode Node, SchemaValue Value) next))
            reader.ReadNode(next.Node, next.Value);
        return root;
    }

    private Goal GoalAt(SchemaValue value) => new(NodeAt(value));

    private SchemaNode NodeAt(SchemaValue value)
    {
        if (!_nodes.TryGetValue(value.Pointer, out SchemaNode? node))
        {
            if (_nodes.Count == MostNodes)
                throw SchemaErrors.Limit(value.Pointer, $"is one schema too many: the limit is {MostNodes:N0}");
            _nodes[value.Pointer] = node = new(_nodes.Count, value.Pointer);
            _unread.Enqueue((node, value));
        }
        return node;
    }

    private void ReadNode(SchemaNode node, SchemaValue value)
    {
        _budget.Take(10);
        if (value.Element.ValueKind == JsonValueKind.True)
            return;
        if (value.Element.ValueKind == JsonValueKind.False)
        {
            node.Keywords.Add(new AnyOfKeyword(value.Pointer, []));
            return;
        }
        if (value.Element.ValueKind != JsonValueKind.Object)
            throw SchemaErrors.Wrong(value.Pointer, "a schema, which is an object, true or false");

        var fields = new SchemaFields(value, _leftOut);
        RefuseOtherWorlds(fields);
        node.Keywords.AddRange(Types(fields));
        node.Keywords.AddRange(Literals(fields));
        node.Keywords.AddRange(Bounds(fields));
        node.Keywords.AddRange(Strings(fields));
        node.Keywords.AddRange(Sizes(fields));
        node.Keywords.AddRange(Objects(fields));
        node.Keywords.AddRange(Arrays(fields));
        node.Keywords.AddRange(Combinations(fields));
        node.Keywords.AddRange(Unevaluated(fields));
    }

    // What would give other keywords another meaning, or other references.
    private static void RefuseOtherWorlds(SchemaFields fields)
    {
        foreach (string name in (string[])["$dynamicRef", "$recursiveRef"])
            if (fields.TryGet(name, out SchemaValue dynamic))
                throw new UnsupportedException(dynamic.Pointer, "is not supported");
        if (
            fields.Pointer.Length > 0
            && fields.TryGet("$id", out SchemaValue id)
            && id.Element.ValueKind == JsonValueKind.String
            && id.Text() is not ['#', ..]
        )
            throw new UnsupportedException(id.Pointer, "inside a schema is not supported");
        if (!fields.TryGet("$vocabulary", out SchemaValue vocabularies))
            return;
        foreach ((string name, SchemaValue isNeeded) in vocabularies.Members())
            if (isNeeded.Flag() && !name.StartsWith("https://json-schema.org/draft/", StringComparison.Ordinal))
                throw new UnsupportedException(vocabularies.Pointer, "other than the standard's is not supported");
    }

    private IEnumerable<Keyword> Combinations(SchemaFields fields)
    {
        if (fields.TryGet("$ref", out SchemaValue reference))
            yield return new AllOfKeyword(reference.Pointer, [GoalAt(_references.Resolve(reference))]);
        if (fields.TryGet("allOf", out SchemaValue all))
            yield return new AllOfKeyword(all.Pointer, Goals(all));
        if (fields.TryGet("not", out SchemaValue not))
            yield return new AllOfKeyword(not.Pointer, [GoalAt(not).Not]);
        if (fields.TryGet("anyOf", out SchemaValue any))
            yield return new AnyOfKeyword(any.Pointer, Goals(any));
        if (fields.TryGet("oneOf", out SchemaValue one))
            yield return new OneOfKeyword(one.Pointer, Goals(one));
        if (fields.TryGet("if", out SchemaValue condition))
            yield return new IfKeyword(
                condition.Pointer,
                GoalAt(condition),
                Goal(fields["then"]),
                Goal(fields["else"])
            );
    }

    private Goal? Goal(SchemaValue? value) => value is SchemaValue schema ? GoalAt(schema) : null;

    private Goal[] Goals(SchemaValue list) =>
        list.Items() is { Count: > 0 } items
            ? [.. items.Select(GoalAt)]
            : throw SchemaErrors.Wrong(list.Pointer, "a list of at least one schema");

    private Goal[] Tuple(SchemaValue list) => [.. list.Items().Select(GoalAt)];
}
