using System.Text.Json;

namespace GptOss.Constraints.Schemas;

/// <summary>A schema as a rule of values that fit it.</summary>
/// <param name="Root">The rule of all values that fit.</param>
/// <param name="Relaxed">
/// JSON pointers to keywords that were left out, as <see cref="SchemaOptions.Relax"/> allows.
/// </param>
internal sealed record CompiledSchema(Rule Root, IReadOnlyList<string> Relaxed);

/// <summary>Compiles JSON Schemas into rules.</summary>
internal static class SchemaCompiler
{
    private const int MostRelaxed = 1_000;

    /// <summary>Compiles a schema into its rule.</summary>
    /// <param name="schema">A JSON Schema of any draft from 4 to 2020-12.</param>
    /// <param name="options">How the schema is read.</param>
    /// <param name="defaultOrder">The order of properties where the options name none.</param>
    /// <param name="mustBeObject">Whether only objects are wanted, as for the arguments of a call.</param>
    /// <param name="budget">Pays for the compilation.</param>
    /// <exception cref="SchemaException">
    /// The schema is wrong, allows no value, is larger than a limit, or has a keyword that is not supported.
    /// </exception>
    public static CompiledSchema Compile(
        JsonElement schema,
        SchemaOptions options,
        PropertyOrder defaultOrder,
        bool mustBeObject,
        CompileBudget budget
    )
    {
        JsonTexts.RefuseLarge(schema, budget);
        bool isClosedByDefault = options.Objects == SchemaObjects.Closed,
            isAnyOrder = (options.Order ?? defaultOrder) == PropertyOrder.Any;
        var leftOut = new List<string>();
        // What is not supported is found one at a time; each time the rest is compiled anew.
        while (true)
            try
            {
                Goal root = new(NodeReader.Read(schema, leftOut.ToHashSet(StringComparer.Ordinal), budget));
                Goal[] goals = mustBeObject ? [root, AnyObject()] : [root];
                return new(Conjunction.RuleOf(goals, isClosedByDefault, isAnyOrder, budget), leftOut);
            }
            catch (UnsupportedException error)
            {
                if (!options.Relax || leftOut.Count == MostRelaxed || leftOut.Contains(error.Pointer))
                    throw error.ForCaller();
                leftOut.Add(error.Pointer);
            }
            catch (LimitException limit)
            {
                throw SchemaErrors.Large("", limit.Message);
            }
    }

    private static Goal AnyObject()
    {
        var node = new SchemaNode(int.MaxValue - 1, "");
        node.Keywords.Add(new TypeKeyword("", JsonTypes.Object));
        return new(node);
    }
}
