namespace GptOss.Constraints.Walkers;

/// <summary>Walks a JSON array whose items and bounds are described by an <see cref="ArrayPlan"/>.</summary>
/// <remarks>
/// The register, from its low end: 4 bits <see cref="Phase"/>, 8 bits white space, the number of an alternative.
/// </remarks>
internal sealed class ArrayWalker : Walker
{
    private const int SpaceAt = 4,
        AlternativeAt = 12;

    private readonly ArrayFrame.Table _frames;
    private readonly RecordedTextWalker[] _unique = [];
    private readonly bool _isCompact;

    /// <param name="frames">The frames of the array.</param>
    /// <param name="isCompact">Whether no white space comes between tokens.</param>
    /// <param name="ledger">Numbers the walkers of items that have to differ.</param>
    public ArrayWalker(ArrayFrame.Table frames, bool isCompact, Ledger ledger)
    {
        (_frames, _isCompact) = (frames, isCompact);
        if (!frames.Plan.Shape.IsUnique)
            return;
        _unique = new RecordedTextWalker[frames.Plan.Alternatives.Length];
        for (int i = 0; i < _unique.Length; i++)
            _unique[i] = new RecordedTextWalker(
                frames.Plan.Alternatives[i].Text!,
                this,
                Register(Phase.BehindRecorded, i)
            )
            {
                Id = ledger.NextId(),
            };
    }

    private enum Phase
    {
        Before, // the opening bracket
        First, // behind the opening bracket
        BehindItem,
        BehindRecorded, // BehindItem, but the item has not joined the used ones
        Next, // behind the comma
    }

    /// <inheritdoc/>
    public override int Levels => 1;

    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors)
    {
        if (_frames.Start(Rule.MostDepth - callers.Depth - Levels) is { } frame)
            successors.Add(new Reading(this, callers, frame, null, Register(Phase.Before)));
    }

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        Phase phase = PhaseOf(reading);
        if (phase == Phase.Before)
        {
            if (symbol == '[')
                successors.Add(reading with { Register = Register(Phase.First) });
            return;
        }
        Reading known = reading;
        if (phase == Phase.BehindRecorded)
        {
            int alternative = (int)(reading.Register >> AlternativeAt);
            phase = Phase.BehindItem;
            known = reading with
            {
                Frame = ((ArrayFrame)reading.Frame!).With(alternative, successors.Recorded),
                Register = Register(phase),
            };
        }
        var frame = (ArrayFrame)known.Frame!;
        if (NextSpace(reading, symbol) is var space and >= 0)
            successors.Add(known with { Register = Register(phase, 0, space) });
        else if (symbol == ']' && phase != Phase.Next && frame.MayClose)
            successors.Complete(known.Callers);
        else if (symbol == ',' && phase == Phase.BehindItem && frame.Choices.Length > 0)
            successors.Add(known with { Register = Register(Phase.Next) });
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols)
    {
        if (PhaseOf(reading) == Phase.Before)
        {
            symbols.Add('[');
            return;
        }
        symbols.AddSpace();
        symbols.Add(',');
        symbols.Add(']');
    }

    /// <inheritdoc/>
    public override void Close(in Reading reading, Successors successors)
    {
        if (PhaseOf(reading) is not (Phase.First or Phase.Next))
            return;
        var frame = (ArrayFrame)reading.Frame!;
        ArrayPlan plan = _frames.Plan;
        foreach (int alternative in frame.Choices)
            if (plan.Shape.IsUnique)
                successors.Add(_unique[alternative].Begin(reading, frame.Used));
            else
                successors.Call(
                    plan.Alternatives[alternative].Callee,
                    reading with
                    {
                        Frame = frame.With(alternative, null),
                        Register = Register(Phase.BehindItem),
                    }
                );
    }

    /// <inheritdoc/>
    public override bool IsPending(in Reading reading) => PhaseOf(reading) == Phase.BehindRecorded;

    /// <inheritdoc/>
    public override Reading Representative(in Reading reading) =>
        reading with
        {
            Frame = reading.Frame!.Representative,
        };

    /// <inheritdoc/>
    public override void Forget() => _frames.Forget();

    private int NextSpace(in Reading reading, int symbol) =>
        _isCompact ? WhiteSpace.Refused : WhiteSpace.Next((int)(reading.Register >> SpaceAt) & 0xFF, symbol);

    private static ulong Register(Phase phase, int alternative = 0, int space = 0) =>
        (ulong)phase | ((ulong)space << SpaceAt) | ((ulong)alternative << AlternativeAt);

    private static Phase PhaseOf(in Reading reading) => (Phase)(reading.Register & 0xF);
}
