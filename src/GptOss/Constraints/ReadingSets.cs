using System.Diagnostics.CodeAnalysis;
using GptOss.Constraints.Walkers;

namespace GptOss.Constraints;

/// <summary>Compares sorted sets of readings, so that they are looked up without being copied.</summary>
internal sealed class ReadingSets
    : IEqualityComparer<Reading[]>,
        IAlternateEqualityComparer<ReadOnlySpan<Reading>, Reading[]>
{
    /// <summary>The only instance there is.</summary>
    public static ReadingSets Comparer { get; } = new();

    /// <inheritdoc/>
    public bool Equals(Reading[]? one, Reading[]? other) => one.AsSpan().SequenceEqual(other);

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<Reading> one, Reading[] other) => one.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode([DisallowNull] Reading[] readings) => GetHashCode(readings.AsSpan());

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<Reading> readings)
    {
        int hash = readings.Length;
        foreach (ref readonly Reading reading in readings)
            hash = (hash * 31) ^ reading.GetHashCode();
        return hash;
    }

    /// <inheritdoc/>
    public Reading[] Create(ReadOnlySpan<Reading> readings) => readings.ToArray();
}

/// <summary>Holds the callers that were made, so that equal ones are one instance.</summary>
internal sealed class CallersTable(Ledger ledger)
{
    private readonly Dictionary<Reading[], Callers> _callers = new(ReadingSets.Comparer);

    /// <summary>The callers that are these sorted readings.</summary>
    public Callers Intern(ReadOnlySpan<Reading> readings)
    {
        var lookup = _callers.GetAlternateLookup<ReadOnlySpan<Reading>>();
        if (lookup.TryGetValue(readings, out Callers? callers))
            return callers;
        int depth = 0;
        foreach (ref readonly Reading reading in readings)
            depth = Math.Max(depth, reading.Callers.Depth + reading.Walker.Levels);
        Reading[] kept = readings.ToArray();
        callers = new Callers(ledger.NextId(), kept, depth);
        _callers.Add(kept, callers);
        ledger.Take(120 + 40L * kept.Length);
        return callers;
    }

    /// <summary>The callers that stand for some in masks.</summary>
    public Callers Representative(Callers callers)
    {
        if (callers.Representative is null)
            MakeRepresentatives(callers);
        return callers.Representative!;
    }

    /// <summary>Forgets the callers; those in use elsewhere stay what they are.</summary>
    public void Forget() => _callers.Clear();

    // Callers of callers first, by a list and not by calls: grammars nest as deep as a text is long.
    private void MakeRepresentatives(Callers callers)
    {
        var open = new Stack<Callers>([callers]);
        while (open.TryPeek(out Callers? next))
        {
            int before = open.Count;
            foreach (ref readonly Reading reading in next.Readings.AsSpan())
                if (reading.Callers.Representative is null && reading.Callers != Callers.None)
                    open.Push(reading.Callers);
            if (open.Count > before)
                continue;
            open.Pop();
            next.Representative ??= Replaced(next);
        }
    }

    private Callers Replaced(Callers callers)
    {
        var replaced = new Reading[callers.Readings.Length];
        bool isSame = true;
        for (int i = 0; i < replaced.Length; i++)
        {
            Reading reading = callers.Readings[i];
            Reading standing = reading.Walker.Representative(reading);
            replaced[i] = standing with { Callers = reading.Callers.Representative ?? reading.Callers };
            isSame &= replaced[i].Equals(reading);
        }
        if (isSame)
            return callers;
        Array.Sort(replaced);
        return Intern(replaced.AsSpan(0, Unique(replaced)));
    }

    /// <summary>Moves the distinct ones of sorted readings to the front.</summary>
    /// <returns>How many there are.</returns>
    public static int Unique(Span<Reading> sorted)
    {
        int count = 0;
        for (int i = 0; i < sorted.Length; i++)
            if (i == 0 || !sorted[i].Equals(sorted[i - 1]))
                sorted[count++] = sorted[i];
        return count;
    }
}
