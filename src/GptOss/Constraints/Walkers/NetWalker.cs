using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>Walks a net of states with edges over code points and markers, and calls of rules.</summary>
/// <remarks>
/// The register, from its low end: 24 bits state, 2 bits bytes left of a code point, 1 bit whether the state is already
/// the one behind it, 16 bits the code point's bits so far.
/// </remarks>
internal sealed class NetWalker : Walker
{
    private const int LeftAt = 24,
        SettledAt = 26,
        ValueAt = 27;

    private readonly NetPlan _plan;

    public NetWalker(NetPlan plan) => _plan = plan;

    /// <summary>What does not change about the net.</summary>
    public NetPlan Plan => _plan;

    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors) =>
        successors.Add(new Reading(this, callers, null, null, 0));

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        int state = StateOf(reading);
        if (symbol >= 256)
        {
            if (IsBetween(reading))
                Read(reading, state, Markers.First + symbol - 256, successors);
            return;
        }
        if (_plan.States[state].IsFree)
            successors.Add(reading);
        var partial = new PartialCodePoint((int)(reading.Register >> ValueAt), (int)(reading.Register >> LeftAt) & 3);
        if (IsBetween(reading))
        {
            if (symbol < 0x80)
                Read(reading, state, symbol, successors);
            else if (PartialCodePoint.TryBegin(symbol, out partial))
                Begin(reading, state, partial, successors);
        }
        else if (!partial.TryAppend(symbol, out PartialCodePoint longer))
            return;
        else if ((reading.Register >> SettledAt & 1) != 0)
            successors.Add(
                reading with
                {
                    Register = Register(state, new(0, longer.Left), isSettled: longer.Left > 0),
                }
            );
        else if (longer.Left == 0)
            Read(reading, state, longer.Value, successors);
        else
            Begin(reading, state, longer, successors);
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols)
    {
        NetState state = _plan.States[StateOf(reading)];
        if (state.IsFree)
            symbols.Add(0, 255);
        if (!IsBetween(reading))
        {
            symbols.AddContinuations();
            return;
        }
        foreach (NetEdge edge in state.Edges)
            if (edge.First >= Markers.First)
                symbols.Add(256 + edge.First - Markers.First, 256 + edge.Last - Markers.First);
            else
                symbols.AddLeads(edge.First, edge.Last);
    }

    /// <inheritdoc/>
    public override void Close(in Reading reading, Successors successors)
    {
        if (!IsBetween(reading))
            return;
        int state = StateOf(reading);
        foreach (int empty in _plan.States[state].Empty)
            successors.Add(reading with { Register = (uint)empty });
        foreach ((Callee callee, int target) in _plan.Calls[state])
            successors.Call(callee, reading with { Register = (uint)target });
        if (_plan.States[state].IsAccepting)
            successors.Complete(reading.Callers);
    }

    /// <inheritdoc/>
    public override bool IsAtEnd(in Reading reading) => _plan.IsEnd(StateOf(reading));

    /// <inheritdoc/>
    public override bool IsFree(in Reading reading) => _plan.States[StateOf(reading)].IsFree;

    /// <inheritdoc/>
    public override int Survives(in Reading reading) =>
        IsBetween(reading) && _plan.HoldsPlain(StateOf(reading)) ? DfaMeasures.Endless : 0;

    private void Read(in Reading reading, int state, int symbol, Successors successors)
    {
        foreach (NetEdge edge in _plan.States[state].Edges)
            if (edge.First <= symbol && symbol <= edge.Last)
                successors.Add(reading with { Register = (uint)edge.Target });
    }

    // An edge that holds every code point begun like this one is settled now; the others wait for the rest of it.
    private void Begin(in Reading reading, int state, PartialCodePoint partial, Successors successors)
    {
        bool waits = false;
        foreach (NetEdge edge in _plan.States[state].Edges)
            if (edge.First <= partial.First && partial.Last <= edge.Last && partial.IsUniform)
                successors.Add(
                    reading with
                    {
                        Register = Register(edge.Target, new(0, partial.Left), isSettled: true),
                    }
                );
            else
                waits |= edge.First <= partial.Last && partial.First <= edge.Last;
        if (waits)
            successors.Add(reading with { Register = Register(state, partial, isSettled: false) });
    }

    private static ulong Register(int state, PartialCodePoint partial, bool isSettled) =>
        (uint)state
        | ((ulong)partial.Left << LeftAt)
        | (isSettled ? 1UL << SettledAt : 0)
        | ((ulong)partial.Value << ValueAt);

    private static int StateOf(in Reading reading) => (int)(reading.Register & 0xFF_FFFF);

    private static bool IsBetween(in Reading reading) => reading.Register >> LeftAt == 0;
}
