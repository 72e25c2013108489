namespace GptOss.Constraints.Schemas;

/// <summary>
/// An alternative in the making: keywords that are still to be looked at, those that are settled, and those that
/// branch.
/// </summary>
internal sealed class Branch
{
    private readonly Stack<Placed> _pending;
    private readonly List<Placed> _settled;
    private readonly Queue<Placed> _deferred;
    private readonly HashSet<(int Goal, Origin? Scope)> _entered;
    private JsonTypes _types;

    /// <summary>A branch in which nothing has been looked at.</summary>
    public Branch(IEnumerable<Placed> start)
    {
        _types = JsonTypes.Any;
        (_pending, _settled, _deferred, _entered) = (new(start.Reverse()), [], new(), []);
    }

    private Branch(Branch other)
    {
        _types = other._types;
        _pending = new(other._pending.Reverse());
        (_settled, _deferred, _entered) = ([.. other._settled], new(other._deferred), [.. other._entered]);
    }

    /// <summary>Whether some keyword lists the values.</summary>
    public EnumKeyword? Listed { get; private set; }

    /// <summary>The types that a value may still have.</summary>
    public JsonTypes Types => _types;

    /// <summary>What is settled so far.</summary>
    public IReadOnlyList<Placed> Settled => _settled;

    /// <summary>What still branches, in its order.</summary>
    public IReadOnlyCollection<Placed> Deferred => _deferred;

    /// <summary>How much a copy of the branch costs.</summary>
    public int Weight => _settled.Count + _deferred.Count + _entered.Count + 10;

    /// <summary>The same branch with more to look at.</summary>
    public Branch With(IReadOnlyList<Keyword> keywords, Origin? origin)
    {
        var branch = new Branch(this) { Listed = Listed };
        branch.Add(keywords, origin);
        return branch;
    }

    /// <summary>More to look at, before what is deferred.</summary>
    public void Add(IReadOnlyList<Keyword> keywords, Origin? origin)
    {
        for (int i = keywords.Count - 1; i >= 0; i--)
            _pending.Push(new(keywords[i], origin));
    }

    /// <summary>The next keyword that branches.</summary>
    public bool TryDefer(out Placed next) => _deferred.TryDequeue(out next);

    /// <summary>The branch as it is when nothing is left to look at.</summary>
    public SchemaAlternative ToAlternative(IReadOnlyList<Literal>? literals = null) =>
        new(_types, _settled) { Literals = literals };

    /// <summary>Looks at all that does not branch.</summary>
    /// <returns>Whether a value may still fit.</returns>
    public bool Settle(Negation negation, CompileBudget budget)
    {
        while (_pending.TryPop(out Placed placed))
        {
            budget.Take(250);
            switch (placed.Keyword)
            {
                case AllOfKeyword all:
                    if (!Enter(all, placed.Origin, negation))
                        return false;
                    break;
                case AnyOfKeyword { Goals.Count: 0 }:
                    return false;
                case IfKeyword { Then: null, Else: null } when placed.Origin?.Scope is null:
                    // Alone it allows and forbids nothing, but elsewhere what it looks at counts as evaluated.
                    break;
                case AnyOfKeyword or OneOfKeyword or IfKeyword or DependentSchemaKeyword:
                    _deferred.Enqueue(placed);
                    break;
                default:
                    if (
                        (placed.Keyword as TypeKeyword)?.Types is JsonTypes types
                        && (_types &= types) == JsonTypes.None
                    )
                        return false;
                    Listed ??= placed.Keyword as EnumKeyword;
                    _settled.Add(placed);
                    break;
            }
        }
        return true;
    }

    // Schemas that are asked for are looked at next, in their order; those that are denied branch.
    private bool Enter(AllOfKeyword all, Origin? origin, Negation negation)
    {
        var keywords = new List<Placed>();
        foreach (Goal goal in all.Goals)
        {
            if (goal.IsNothing || _entered.Contains((~goal.Key, null)))
                return false;
            // Asked before what was entered, since a schema with 'unevaluated…' is a new scope each time round.
            if (origin is not null && origin.Passes(goal))
                throw SchemaErrors.At(all.Pointer, "leads back to itself without a value between");
            if (!_entered.Add((goal.Key, origin?.Scope)))
                continue;
            _entered.Add((goal.Key, null));
            negation.Ask(goal, all.Pointer);
            var entered = new Origin(goal, origin);
            if (goal.IsNegated)
                _deferred.Enqueue(new(new AllOfKeyword(all.Pointer, [goal]), entered));
            else
            {
                if (goal.Node.Keywords.Exists(keyword => keyword is UnevaluatedKeyword))
                    entered.AsScope();
                keywords.AddRange(goal.Node.Keywords.Select(keyword => new Placed(keyword, entered)));
            }
        }
        for (int i = keywords.Count - 1; i >= 0; i--)
            _pending.Push(keywords[i]);
        return true;
    }
}
