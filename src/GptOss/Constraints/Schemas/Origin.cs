namespace GptOss.Constraints.Schemas;

/// <summary>
/// How a keyword came into an alternative: by which schema, which in turn was asked for by which other one about the
/// same value.
/// </summary>
/// <param name="goal">The schema that holds the keyword.</param>
/// <param name="parent">By which schema it was asked for; null for the outermost.</param>
internal sealed class Origin(Goal goal, Origin? parent)
{
    /// <summary>The schema that holds the keyword.</summary>
    public Goal Goal { get; } = goal;

    /// <summary>By which schema it was asked for; null for the outermost.</summary>
    public Origin? Parent { get; } = parent;

    /// <summary>
    /// The nearest schema, itself or outside of it, that has to know what else was looked at: one that says
    /// <c>unevaluated…</c>.
    /// </summary>
    public Origin? Scope { get; private set; } = parent?.Scope;

    /// <summary>Makes the origin the nearest one that has to know what else was looked at.</summary>
    public Origin AsScope()
    {
        Scope = this;
        return this;
    }

    /// <summary>Whether the keyword was asked for by a schema, with no denial on the way.</summary>
    public bool IsWithin(Origin other)
    {
        for (Origin? at = this; at is not null && (at == other || !at.Goal.IsNegated); at = at.Parent)
            if (at == other)
                return true;
        return false;
    }

    /// <summary>Whether a goal is on the way from here to the outermost schema.</summary>
    public bool Passes(Goal goal)
    {
        for (Origin? at = this; at is not null; at = at.Parent)
            if (at.Goal == goal)
                return true;
        return false;
    }
}

/// <summary>A keyword with the schema by which it came.</summary>
internal readonly record struct Placed(Keyword Keyword, Origin? Origin);
