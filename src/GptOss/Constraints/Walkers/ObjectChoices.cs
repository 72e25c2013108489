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
        if (choices.Needed() is { } needed)
            choices.Choose(needed);
        return choices;
    }

    private void Choose(bool[] needed)
    {
        int missing = needed.Count(isNeeded => isNeeded),
            toCount = _plan.Shape.MinCounted - _history.Counted,
            firstNeeded = missing == 0 ? _plan.Count : Array.IndexOf(needed, true);
        bool[] reachable = Reachable();
        long capacity = Capacity(countedOnly: false),
            countable = Capacity(countedOnly: true);
        if (toCount > countable)
            return;
        MayClose = missing == 0 && toCount == 0 && _history.Count >= _min;

        // Behind a name in order only later ones are left.
        int left = reachable.Count(isReachable => isReachable);
        int[] behind = CountBehind(reachable);
        for (int sorted = 0; sorted < _plan.Count; sorted++)
        {
            int name = _plan.Names.Sorted[sorted];
            if (reachable[name] && MayTake(name))
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
            if (_plan.HasDependents)
                return MayTakeWithDependents(name);
            if (!_plan.Shape.IsAnyOrder && name > firstNeeded)
                return false;
            long fewest = missing + toCount + (needed[name] ? 0L : 1L);
            return _min == 0
                ? Fits(fewest, long.MaxValue)
                : Fits(fewest, (_plan.Shape.IsAnyOrder ? left : 1L + behind[name]) + capacity);
        }
    }

    // Names that need others are few: what follows from one is worked out as if it were taken.
    private bool MayTakeWithDependents(int name)
    {
        var behind = new ObjectChoices(_plan, _history.With(_plan, name));
        if (behind.Needed() is not { } needed)
            return false;
        int missing = needed.Count(isNeeded => isNeeded),
            toCount = _plan.Shape.MinCounted - _history.Counted;
        long most = behind.Reachable().Count(isReachable => isReachable) + Capacity(countedOnly: false);
        return behind.Fits((long)missing + toCount, most);
    }

    // Whether the number of properties can be right with that many more.
    private bool Fits(long fewest, long most) =>
        !_plan.IsCounted || (_history.Count + fewest <= _max && most >= _min - _history.Count);

    // Of each name: how many reachable ones stand behind it.
    private static int[] CountBehind(bool[] reachable)
    {
        var behind = new int[reachable.Length];
        for (int name = reachable.Length - 2; name >= 0; name--)
            behind[name] = behind[name + 1] + (reachable[name + 1] ? 1 : 0);
        return behind;
    }

    // The names that still have to come; null where one of them cannot.
    private bool[]? Needed()
    {
        var needed = new bool[_plan.Count];
        var next = new Stack<int>();
        for (int name = 0; name < _plan.Count; name++)
        {
            if (_plan.Shape.Properties[name].IsRequired && !IsBehind(name))
                Need(name);
            if (_plan.HasDependents && _history.Has(name))
                foreach (int then in _plan.Then(name))
                    Need(then);
        }
        while (next.TryPop(out int name))
        {
            if (!CanTake(name))
                return null;
            foreach (int then in _plan.Then(name))
                Need(then);
        }
        return needed;

        void Need(int name)
        {
            if (needed[name] || _history.Has(name))
                return;
            needed[name] = true;
            next.Push(name);
        }
    }

    // The largest set of names that can all come together: those that need one which cannot come are taken out.
    private bool[] Reachable()
    {
        var reachable = new bool[_plan.Count];
        for (int name = 0; name < reachable.Length; name++)
            reachable[name] = CanTake(name);
        for (bool changed = _plan.HasDependents; changed; )
        {
            changed = false;
            for (int name = 0; name < reachable.Length; name++)
                if (reachable[name] && _plan.Then(name).Any(then => !reachable[then] && !_history.Has(then)))
                    (reachable[name], changed) = (false, true);
        }
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
