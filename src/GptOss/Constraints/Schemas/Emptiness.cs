namespace GptOss.Constraints.Schemas;

/// <summary>
/// Proves that no value fits some schemas together: by their types, their texts and numbers, the values of required
/// properties and first items. What is not proved may still be so.
/// </summary>
/// <param name="expand">The alternatives of some keywords.</param>
/// <param name="strings">Builds the strings of an alternative.</param>
/// <param name="numbers">Builds the numbers of an alternative.</param>
/// <param name="literals">Looks at names of properties.</param>
/// <param name="budget">Pays for the looks.</param>
internal sealed class Emptiness(
    Func<IEnumerable<Placed>, List<SchemaAlternative>> expand,
    StringShapes strings,
    NumberLanguages numbers,
    LiteralCheck literals,
    CompileBudget budget
)
{
    private const int MostDepth = 4;

    private readonly Dictionary<(int, int), bool> _disjoint = [];
    private readonly Discriminators _discriminators = new(budget);
    private int _depth;

    /// <summary>Whether surely no value meets some keywords and fits two schemas.</summary>
    public bool AreDisjoint(IReadOnlyList<Placed> context, Goal left, Goal right)
    {
        if (_discriminators.AreDisjoint(left, right))
            return true;
        (int, int) pair = left.Key < right.Key ? (left.Key, right.Key) : (right.Key, left.Key);
        if (!_disjoint.TryGetValue(pair, out bool areDisjoint) && _depth < MostDepth)
            _disjoint[pair] = areDisjoint = IsEmpty([], [left, right]);
        if (areDisjoint || context.Count == 0)
            return areDisjoint;
        // What the two would look at is not known to a schema outside that asks what nothing has looked at.
        return IsEmpty([.. context.Where(placed => placed.Keyword is not UnevaluatedKeyword)], [left, right]);
    }

    private bool IsEmpty(IReadOnlyList<Placed> context, IReadOnlyList<Goal> goals)
    {
        if (goals.Any(goal => goal.IsNothing))
            return true;
        if (_depth == MostDepth)
            return false;
        _depth++;
        try
        {
            return expand([.. context, new(new AllOfKeyword("", goals), null)]).TrueForAll(IsEmpty);
        }
        catch (UnsupportedException)
        {
            // What cannot be said is not proved to be empty.
            return false;
        }
        finally
        {
            _depth--;
        }
    }

    /// <summary>
    /// Whether surely no value fits an alternative, as far as can be seen from the values of its required properties,
    /// and not from theirs in turn.
    /// </summary>
    public bool IsEmptyAtAGlance(SchemaAlternative alternative)
    {
        if (_depth >= MostDepth - 1)
            return false;
        int depth = _depth;
        _depth = MostDepth - 1;
        try
        {
            return IsEmpty(alternative);
        }
        finally
        {
            _depth = depth;
        }
    }

    private bool IsEmpty(SchemaAlternative alternative)
    {
        JsonTypes types = alternative.Types;
        budget.Take(2_500 + 250 * alternative.Keywords.Count);
        if (alternative.Literals is not null || ScalarShapes.Words(alternative).Any())
            return false;
        return ((types & JsonTypes.Number) == 0 || numbers.Of(alternative, isCanonical: false).IsEmpty)
            && ((types & JsonTypes.String) == 0 || strings.Of(alternative) is null)
            && ((types & JsonTypes.Array) == 0 || HasNoArray(alternative))
            && ((types & JsonTypes.Object) == 0 || HasNoObject(alternative));
    }

    private bool HasNoArray(SchemaAlternative alternative)
    {
        (int min, int? max) = alternative.Size(JsonTypes.Array);
        if (min > max)
            return true;
        var parts = new ArrayParts(alternative);
        for (int place = 0; place < min && place <= parts.PrefixCount; place++)
            if (IsEmpty([], parts.GoalsOf(place, counts: uint.MaxValue)))
                return true;
        return false;
    }

    private bool HasNoObject(SchemaAlternative alternative)
    {
        (int min, int? max) = alternative.Size(JsonTypes.Object);
        // As the standard reads it: a branch of the caller's schema is not closed unless it says so.
        var parts = new ObjectParts(alternative, isClosedByDefault: false, literals);
        return min > max || parts.Required.Count > max || parts.Required.Any(name => IsEmpty([], parts.GoalsOf(name)));
    }
}
