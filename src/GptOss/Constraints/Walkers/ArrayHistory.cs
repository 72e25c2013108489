namespace GptOss.Constraints.Walkers;

/// <summary>What of an array's items so far matters for those to come.</summary>
/// <param name="Count">How many there are, as far as that matters.</param>
/// <param name="Counts">How many of them count, for each number of the array, as far as that matters.</param>
/// <param name="Levels">How many levels of objects and arrays may be opened, up to what items need.</param>
internal sealed record ArrayHistory(int Count, int[] Counts, int Levels)
{
    /// <summary>The history of an array without items.</summary>
    public static ArrayHistory Start(ArrayPlan plan, int levels) =>
        new(0, new int[plan.Shape.Contains.Count], Math.Min(levels, plan.Highest));

    /// <summary>Whether an item of a rule does not nest too deep.</summary>
    public bool Has(Callee callee) => callee.Height <= Levels;

    /// <summary>Whether the array may end.</summary>
    public bool MayClose(ArrayPlan plan)
    {
        for (int i = 0; i < Counts.Length; i++)
            if (Counts[i] < plan.Shape.Contains[i].Min)
                return false;
        return Count >= plan.Shape.MinItems;
    }

    /// <summary>The history behind one more item; null where the item cannot come.</summary>
    public ArrayHistory? With(ArrayPlan plan, int alternative)
    {
        ArrayPlan.ItemChoice item = plan.Alternatives[alternative];
        if (!Has(item.Callee) || Count >= (plan.Shape.MaxItems ?? int.MaxValue))
            return null;
        int[] counts = [.. Counts];
        for (int i = 0; i < counts.Length; i++)
        {
            if ((item.Counts >> i & 1) == 0)
                continue;
            (int min, int? max) = plan.Shape.Contains[i];
            if (counts[i] == max)
                return null;
            if (max is not null || counts[i] < min)
                counts[i]++;
        }
        return new ArrayHistory(Math.Min(Count + 1, plan.MostCounted), counts, Levels);
    }

    /// <inheritdoc/>
    public bool Equals(ArrayHistory? other) =>
        other is not null
        && (Count, Levels) == (other.Count, other.Levels)
        && Counts.AsSpan().SequenceEqual(other.Counts);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = HashCode.Combine(Count, Levels);
        foreach (int count in Counts)
            hash = HashCode.Combine(hash, count);
        return hash;
    }
}
