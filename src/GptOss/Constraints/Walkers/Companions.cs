namespace GptOss.Constraints.Walkers;

/// <summary>
/// Of each declared name all others that have to come with it, whether it requires them itself or those that it
/// requires do. Worked out once, so that no choice of a name has to follow them.
/// </summary>
internal sealed class Companions
{
    private readonly NameSet?[] _of;

    /// <param name="then">Of each name those that it requires itself.</param>
    /// <param name="budget">Pays for following them.</param>
    public Companions(List<int>[] then, CompileBudget budget)
    {
        _of = new NameSet?[then.Length];
        var open = new Stack<int>();
        for (int name = 0; name < then.Length; name++)
        {
            if (then[name].Count == 0)
                continue;
            var found = new NameSet(then.Length);
            for (open.Push(name); open.TryPop(out int at); )
            {
                budget.Take(2 + then[at].Count);
                foreach (int next in then[at])
                    if (!found.Has(next))
                    {
                        found.Add(next);
                        open.Push(next);
                    }
            }
            found.Remove(name);
            budget.Take(then.Length / 2);
            _of[name] = found;
        }
    }

    /// <summary>The names that have to come with one; null where there are none.</summary>
    public NameSet? this[int name] => _of[name];
}
