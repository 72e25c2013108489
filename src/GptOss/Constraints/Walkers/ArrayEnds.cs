namespace GptOss.Constraints.Walkers;

/// <summary>Which arrays can be completed, told by the items that they have so far.</summary>
internal sealed class ArrayEnds(ArrayPlan plan)
{
    private readonly Dictionary<ArrayHistory, bool> _known = [];

    /// <summary>Whether an array with such items can be completed.</summary>
    public bool CanEnd(ArrayHistory history) =>
        plan.Shape.Contains.Count == 0 ? CanEndByNumber(history) : CanEndByCounts(history);

    private bool CanEndByNumber(ArrayHistory history)
    {
        int count = history.Count;
        if (count >= plan.Shape.MinItems)
            return true;
        if (plan.Shape.MinItems > Math.Min(plan.Distinct, plan.Shape.MaxItems ?? int.MaxValue))
            return false;
        for (; count < plan.Shape.MinItems; count++)
        {
            if (!plan.At(count).Any(alternative => history.Has(plan.Alternatives[alternative].Callee)))
                return false;
            if (count >= plan.Shape.Prefix.Count)
                return true; // the others are of the same kind
        }
        return true;
    }

    // Looks for a way to an end, and remembers of every history it meets whether there is one.
    private bool CanEndByCounts(ArrayHistory start)
    {
        var way = new Stack<(ArrayHistory History, int Next)>();
        way.Push((start, 0));
        var met = new HashSet<ArrayHistory> { start };
        while (way.TryPop(out (ArrayHistory History, int Next) step))
        {
            ArrayHistory history = step.History;
            bool known = _known.TryGetValue(history, out bool canEnd);
            if (history.MayClose(plan) || canEnd)
            {
                _known[history] = true;
                foreach ((ArrayHistory before, _) in way)
                    _known[before] = true;
                return true;
            }
            int[] alternatives = plan.At(history.Count);
            if (known || step.Next == alternatives.Length)
                continue;
            way.Push((history, step.Next + 1));
            if (history.With(plan, alternatives[step.Next]) is { } longer && met.Add(longer))
                way.Push((longer, 0));
        }
        foreach (ArrayHistory history in met)
            _known[history] = false;
        return false;
    }
}
