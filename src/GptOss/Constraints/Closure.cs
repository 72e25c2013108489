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
/// <param name="callersTable">Holds the callers of rules.</param>
/// <param name="rules">How many rules there are: their ranks run from 1 to that.</param>
internal sealed class Closure(CallersTable callersTable, int rules) : Successors
{
    private const int FewReadings = 12;
    private const int ManyReadings = 2_000; // sorting thousands is no small thing

    // What a reading or a caller costs of a compilation, whose steps are worth some nanoseconds.
    private const int StepsEach = 20;

    // What entering a rule costs beside what its walkers add, where adding a reading is a step.
    private const int StepsOfRule = 30;

    private readonly List<Reading> _readings = [];
    private readonly HashSet<Reading> _met = [];
    private readonly PriorityQueue<Waiting, int> _waiting = new();
    private readonly Waiting?[] _byRank = new Waiting?[rules + 1];
    private readonly Stack<Waiting> _spare = new();
    private int _closed;
    private long _left;
    private long _limit;
    private CompileBudget? _budget;

    /// <summary>Whether what comes next depends on a text that was not given.</summary>
    public bool AsksForText { get; private set; }

    /// <summary>How many steps were taken: one for each reading that is found, however often it was found.</summary>
    public long Steps { get; private set; }

    /// <summary>The rule that was entered last, in this closure or before it; null where none was.</summary>
    public Callee? Entered { get; private set; }

    /// <summary>Begins anew behind a byte.</summary>
    /// <param name="recorded">The text that was recorded before the byte, if it is known.</param>
    /// <param name="left">How many steps may be taken.</param>
    /// <param name="limit">The limit of which these are left, for the message.</param>
    /// <param name="budget">Pays for the closure while a grammar is compiled; null afterwards.</param>
    public void Clear(byte[]? recorded, long left, long limit, CompileBudget? budget = null)
    {
        (_left, _limit, _budget) = (left, limit, budget);
        _readings.Clear();
        _met.Clear();
        if (_waiting.Count > 0)
        {
            // The closure before this one was given up.
            _waiting.Clear();
            Array.Clear(_byRank);
        }
        (_closed, AsksForText, Recorded) = (0, false, recorded);
        Steps = 0;
    }

    /// <inheritdoc/>
    public override void Add(in Reading reading)
    {
        Spend(1);
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
        _budget?.Take(StepsEach);
        _readings.Add(reading);
    }

    /// <inheritdoc/>
    public override void Spend(int steps)
    {
        if ((Steps += steps) > _left)
            throw StepLimit.Exceeded(_limit, Entered?.Name);
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
        {
            _budget?.Take(StepsEach * then.Callers.Readings.Length);
            Spend(then.Callers.Readings.Length);
            foreach (ref readonly Reading reading in then.Callers.Readings.AsSpan())
                waiting.Add(reading);
        }
        else
        {
            Spend(1);
            waiting.Add(then);
        }
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
            if (!_waiting.TryDequeue(out Waiting? next, out _))
                break;
            Enter(next);
        }
        Span<Reading> found = CollectionsMarshal.AsSpan(_readings);
        if (found.Length > ManyReadings)
            Spend(found.Length * int.Log2(found.Length));
        Sort(found);
        return found;
    }

    private void Enter(Waiting waiting)
    {
        Entered = waiting.Callee;
        Spend(StepsOfRule + waiting.Callee.Walkers.Count);
        _byRank[waiting.Callee.Rank] = null;
        Callers callers = callersTable.Intern(waiting.Finish());
        if (callers.Depth + waiting.Callee.Height <= Rule.MostDepth)
            foreach (Walker walker in waiting.Callee.Walkers)
                walker.Enter(callers, this);
        _spare.Push(waiting);
    }

    private Waiting WaitingFor(Callee callee)
    {
        if (_byRank[callee.Rank] is { } waiting)
            return waiting;
        waiting = _spare.TryPop(out Waiting? spare) ? spare : new Waiting();
        waiting.Begin(callee);
        _waiting.Enqueue(waiting, callee.Rank);
        return _byRank[callee.Rank] = waiting;
    }

    // Most are found in their order already.
    private static void Sort(Span<Reading> readings)
    {
        for (int i = 1; i < readings.Length; i++)
            if (readings[i].CompareTo(readings[i - 1]) < 0)
            {
                readings.Sort();
                return;
            }
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
            Sort(callers);
            return callers;
        }
    }
}
