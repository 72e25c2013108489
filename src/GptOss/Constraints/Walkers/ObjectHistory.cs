using System.Numerics;

namespace GptOss.Constraints.Walkers;

/// <summary>What of an object's properties so far matters for those to come.</summary>
/// <param name="Names">
/// A bit for each declared name that is used; none is kept where the position says all that matters.
/// </param>
/// <param name="Position">Where declared names keep their order: the first that may still come.</param>
/// <param name="Extras">How many undeclared names of each language are used, as far as that matters.</param>
/// <param name="Counted">How many of them count, up to the fewest that have to.</param>
/// <param name="Levels">How many levels of objects and arrays may be opened, up to what values need.</param>
internal sealed record ObjectHistory(ulong[] Names, int Position, int[] Extras, int Counted, int Levels)
{
    /// <summary>How many properties there are, as far as that matters.</summary>
    public int Count { get; } = Names.Sum(BitOperations.PopCount) + Extras.Sum();

    /// <summary>Whether a declared name is used.</summary>
    public bool Has(int name) => (Names[name / 64] >> (name % 64) & 1) != 0;

    /// <summary>The history of an object without properties.</summary>
    public static ObjectHistory Start(ObjectPlan plan, int levels) =>
        new(new ulong[(plan.Count + 63) / 64], 0, new int[plan.Languages.Length], 0, Math.Min(levels, plan.Highest));

    /// <summary>The history behind a declared name.</summary>
    public ObjectHistory With(ObjectPlan plan, int name)
    {
        int position = plan.Shape.IsAnyOrder ? 0 : name + 1;
        if (plan.PositionSaysAll)
            return this with { Position = position };
        ulong[] names = [.. Names];
        names[name / 64] |= 1UL << (name % 64);
        return new ObjectHistory(names, position, Extras, Counted, Levels);
    }

    /// <summary>The history behind an undeclared name.</summary>
    public ObjectHistory With(ObjectPlan plan, in ObjectPlan.Extra extra)
    {
        int[] extras = Extras;
        int most =
            !extra.Text.IsEndless || plan.Shape.MaxProperties is not null ? int.MaxValue : plan.Shape.MinProperties;
        if (extras[extra.Language] < most)
        {
            extras = [.. extras];
            extras[extra.Language]++;
        }
        int counted = extra.Counts ? Math.Min(Counted + 1, plan.Shape.MinCounted) : Counted;
        int position = plan.Shape.IsAnyOrder ? 0 : plan.Count;
        return new ObjectHistory(Names, position, extras, counted, Levels);
    }

    /// <inheritdoc/>
    public bool Equals(ObjectHistory? other) =>
        other is not null
        && (Position, Counted, Levels) == (other.Position, other.Counted, other.Levels)
        && Names.AsSpan().SequenceEqual(other.Names)
        && Extras.AsSpan().SequenceEqual(other.Extras);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Position);
        hash.Add(Counted);
        hash.Add(Levels);
        foreach (ulong word in Names)
            hash.Add(word);
        foreach (int count in Extras)
            hash.Add(count);
        return hash.ToHashCode();
    }
}
