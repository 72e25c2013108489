using System.Runtime.InteropServices;
using GptOss.Constraints.Walkers;

namespace GptOss.Constraints;

/// <summary>
/// Collects all readings behind a byte: those that the walkers find, and those that they reach without reading
/// anything. Used again and again, so that a step makes nothing but what it keeps.
/// </summary>
/// <remarks>
/// Calls wait until all readings that go on are known, and are then entered rule by rule, by their rank: so all callers
/// of a rule are together before it is entered. No rule calls itself before it has read something.
/// </remarks>
internal sealed class Closure(CallersTable callersTable) : Successors
{
    private const int FewReadings = 12;

    private readonly List<Reading> _readings = [];
    private readonly HashSet<Reading> _met = [];
    private readonly List<Waiting> _waiting = [];
    private readonly Stack<Waiting> _spare = new();
    private int _closed;

    /// <summary>Whether what comes next depends on a text that was not given.</summary>
    public bool AsksForText { get; private set; }

    /// <summary>Begins anew behind a byte.</summary>
    /// <param name="recorded">The text that was recorded before the byte, if it is known.</param>
    public void Clear(byte[]? recorded)
    {
        _readings.Clear();
        _met.Clear();
        (_closed, AsksForText, Recorded) = (0, false, recorded);
    }

    /// <inheritdoc/>
    public override void Add(in Reading reading)
    {
        if (_readings.Count < FewReadings)
        {
            foreach (ref readonly Reading other in CollectionsMarshal.AsSpan(_readings))
                if (other.Equals(reading))
                    return;
        }
        else
        {
            if (_met.Count == 0)
                _met.UnionWith(_readings);
            if (!_met.Add(reading))
                return;
        }
        _readings.Add(reading);
    }

    /// <inheritdoc/>
    public override void Call(Callee callee, in Reading then)
    {
        if (callee.IsNullable)
            Add(then);
        Waiting waiting = WaitingFor(callee);
        // Where nothing follows the call but the end, those go on who wait for the end: else a list of n items that is
        // written as an item and a shorter list would be n rules deep.
        if (then.Walker.IsAtEnd(then))
            foreach (ref readonly Reading reading in then.Callers.Readings.AsSpan())
                waiting.Add(reading);
        else
            waiting.Add(then);
    }

    /// <inheritdoc/>
    public override void AskForText() => AsksForText = true;

    /// <summary>All readings, sorted; valid until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<Reading> Finish()
    {
        while (true)
        {
            while (_closed < _readings.Count)
            {
                Reading reading = _readings[_closed++];
                reading.Walker.Close(reading, this);
            }
            if (_waiting.Count == 0)
                break;
            EnterNext();
        }
        Span<Reading> found = CollectionsMarshal.AsSpan(_readings);
        found.Sort();
        return found;
    }

    private void EnterNext()
    {
        int first = 0;
        for (int i = 1; i < _waiting.Count; i++)
            if (_waiting[i].Callee.Rank < _waiting[first].Callee.Rank)
                first = i;
        Waiting waiting = _waiting[first];
        _waiting[first] = _waiting[^1];
        _waiting.RemoveAt(_waiting.Count - 1);
        Callers callers = callersTable.Intern(waiting.Finish());
        if (callers.Depth + waiting.Callee.Height <= Rule.MostDepth)
            foreach (Walker walker in waiting.Callee.Walkers)
                walker.Enter(callers, this);
        _spare.Push(waiting);
    }

    private Waiting WaitingFor(Callee callee)
    {
        foreach (Waiting waiting in _waiting)
            if (waiting.Callee == callee)
                return waiting;
        Waiting added = _spare.TryPop(out Waiting? spare) ? spare : new Waiting();
        added.Begin(callee);
        _waiting.Add(added);
        return added;
    }

    /// <summary>The callers of a rule that is not entered yet.</summary>
    private sealed class Waiting
    {
        private readonly List<Reading> _callers = [];
        private readonly HashSet<Reading> _met = [];

        public Callee Callee { get; private set; } = null!;

        public void Begin(Callee callee)
        {
            Callee = callee;
            _callers.Clear();
            _met.Clear();
        }

        public void Add(in Reading caller)
        {
            if (_met.Add(caller))
                _callers.Add(caller);
        }

        public ReadOnlySpan<Reading> Finish()
        {
            Span<Reading> callers = CollectionsMarshal.AsSpan(_callers);
            callers.Sort();
            return callers;
        }
    }
}
