namespace GptOss.Constraints.Walkers;

/// <summary>
/// What may come next in an object so that it can be completed: names that are left, in order, and after each of which
/// everything required can still come and the number of properties be right.
/// </summary>
internal sealed class ObjectChoices
{
    private readonly ObjectPlan _plan;
    private readonly ObjectHistory _history;
    private readonly int _min;
    private readonly int _max;

    private ObjectChoices(ObjectPlan plan, ObjectHistory history)
    {
        (_plan, _history) = (plan, history);
        (_min, _max) = (plan.Shape.MinProperties, plan.Shape.MaxProperties ?? int.MaxValue);
        Names = new ulong[history.Names.Length];
        Extras = new bool[plan.Extras.Length];
    }

    /// <summary>A bit for each declared name that may come, in the order of <see cref="NameTrie.Sorted"/>.</summary>
    public ulong[] Names { get; }

    /// <summary>Whether each kind of undeclared names may come.</summary>
    public bool[] Extras { get; }

    /// <summary>Whether the object may end.</summary>
    public bool MayClose { get; private set; }

    /// <summary>Whether any property may come.</summary>
    public bool MayGoOn { get; private set; }

    /// <summary>Whether the object can be completed at all.</summary>
    public bool IsPossible => MayClose || MayGoOn;

    /// <summary>What may come behind a history.</summary>
    public static ObjectChoices Of(ObjectPlan plan, ObjectHistory history)
    {
        var choices = new ObjectChoices(plan, history);
        var takable = new NameSet(plan.Count);
        for (int name = 0; name < plan.Count; name++)
            if (choices.CanTake(name))
                takable.Add(name);
        NameSet needed = choices.Needed();
        // One that still has to come may be one that cannot.
        if (needed.IsWithin(takable, history.Names))
            choices.Choose(takable, needed);
        return choices;
    }

    private void Choose(NameSet takable, NameSet needed)
    {
        int missing = needed.Count,
            toCount = _plan.Shape.MinCounted - _history.Counted,
            firstNeeded = needed.First;
        long capacity = Capacity(countedOnly: false),
            countable = Capacity(countedOnly: true);
        if (toCount > countable)
            return;
        MayClose = missing == 0 && toCount == 0 && _history.Count >= _min;

        NameSet reachable = Reachable(takable);
        int left = reachable.Count;
        int[] behind = _min > 0 && !_plan.Shape.IsAnyOrder ? CountBehind(reachable) : [];
        var more = new NameSet(_plan.Count);
        for (int sorted = 0; sorted < _plan.Count; sorted++)
        {
            int name = _plan.Names.Sorted[sorted];
            if (reachable.Has(name) && MayTake(name))
            {
                Names[sorted / 64] |= 1UL << (sorted % 64);
                MayGoOn = true;
            }
        }
        for (int extra = 0; extra < Extras.Length; extra++)
        {
            bool counts = _plan.Extras[extra].Counts && toCount > 0;
            Extras[extra] =
                CanHave(extra)
                && (_plan.Shape.IsAnyOrder || missing == 0)
                && (counts || toCount < countable || !CanCount(_plan.Extras[extra].Language))
                && Fits(1L + missing + toCount - (counts ? 1 : 0), (_plan.Shape.IsAnyOrder ? left : 0) + capacity);
            MayGoOn |= Extras[extra];
        }

        bool MayTake(int name)
        {
            int companions = 0;
            if (_plan.Companions?[name] is { } all)
            {
                more.Set(all);
                more.Remove(_history.Names);
                more.Remove(needed);
                companions = more.Count;
                if (!_plan.Shape.IsAnyOrder && more.First < name)
                    return false;
            }
            // Behind a name in order only later ones are left.
            if (!_plan.Shape.IsAnyOrder && name > firstNeeded)
                return false;
            long fewest = missing + toCount + companions + (needed.Has(name) ? 0L : 1L);
            return _min == 0
                ? Fits(fewest, long.MaxValue)
                : Fits(fewest, (_plan.Shape.IsAnyOrder ? left : 1L + behind[name]) + capacity);
        }
    }

    // Whether the number of properties can be right with that many more.
    private bool Fits(long fewest, long most) =>
        !_plan.IsCounted || (_history.Count + fewest <= _max && most >= _min - _history.Count);

    // Of each name: how many reachable ones can come behind it. One with companions can as long as none of them is left
    // behind, or the name itself is the first of them.
    private int[] CountBehind(NameSet reachable)
    {
        var behind = new int[_plan.Count + 1];
        var all = new NameSet(_plan.Count);
        for (int name = 0; name < _plan.Count; name++)
        {
            if (!reachable.Has(name))
                continue;
            int last = name - 1;
            if (_plan.Companions?[name] is { } companions)
            {
                all.Set(companions);
                all.Remove(_history.Names);
                last = Math.Min(last, all.First);
            }
            if (last >= 0)
                behind[last]++;
        }
        for (int name = _plan.Count - 1; name >= 0; name--)
            behind[name] += behind[name + 1];
        return behind;
    }

    // The names that still have to come.
    private NameSet Needed()
    {
        var needed = new NameSet(_plan.Count);
        for (int name = 0; name < _plan.Count; name++)
        {
            bool isUsed = _history.Has(name);
            if (!isUsed && _plan.Shape.Properties[name].IsRequired && !IsBehind(name))
                needed.Add(name);
            if (_plan.Companions?[name] is { } companions && (isUsed || needed.Has(name)))
                needed.Add(companions);
        }
        needed.Remove(_history.Names);
        return needed;
    }

    // The names that can come together with all that they require.
    private NameSet Reachable(NameSet takable)
    {
        if (_plan.Companions is null)
            return takable;
        var reachable = new NameSet(_plan.Count);
        for (int name = 0; name < _plan.Count; name++)
            if (takable.Has(name) && _plan.Companions[name]?.IsWithin(takable, _history.Names) is not false)
                reachable.Add(name);
        return reachable;
    }

    // Where the position says all, it says that what is required before it has come.
    private bool IsBehind(int name) => name < _history.Position && _plan.PositionSaysAll;

    private bool CanTake(int name) =>
        name >= _history.Position
        && !_history.Has(name)
        && _plan.Values[name] is { } value
        && value.Height <= _history.Levels;

    private bool CanHave(int extra) =>
        _plan.Extras[extra] is var kind && kind.Value.Height <= _history.Levels && Left(kind) > 0;

    // Whether a name of the language may come as one that counts.
    private bool CanCount(int language)
    {
        for (int extra = 0; extra < _plan.Extras.Length; extra++)
            if (_plan.Extras[extra] is { Counts: true } kind && kind.Language == language && CanHave(extra))
                return true;
        return false;
    }

    private long Left(in ObjectPlan.Extra kind) =>
        kind.Text.IsEndless ? int.MaxValue : _plan.Undeclared(kind.Language) - _history.Extras[kind.Language];

    private long Capacity(bool countedOnly)
    {
        long capacity = 0;
        for (int language = 0; language < _plan.Languages.Length; language++)
        for (int extra = 0; extra < _plan.Extras.Length; extra++)
            if (
                _plan.Extras[extra].Language == language
                && (_plan.Extras[extra].Counts || !countedOnly)
                && CanHave(extra)
            )
            {
                capacity += Left(_plan.Extras[extra]);
                break;
            }
        return capacity;
    }
}
