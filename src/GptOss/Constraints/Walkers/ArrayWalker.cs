namespace GptOss.Constraints.Walkers;

/// <summary>Walks a JSON array whose items and bounds are described by an <see cref="ArrayPlan"/>.</summary>
/// <remarks>
/// The register, from its low end: 4 bits <see cref="ArrayPhase"/>, 8 bits white space, the number of an alternative.
/// </remarks>
internal sealed class ArrayWalker : Walker
{
    private const int SpaceAt = 4,
        AlternativeAt = 12;

    private readonly ArrayFrame.ArrayFrames _frames;
    private readonly RecordedTextWalker[] _unique = [];
    private readonly bool _isCompact;

    /// <param name="frames">The frames of the array.</param>
    /// <param name="isCompact">Whether no white space comes between tokens.</param>
    /// <param name="ledger">Numbers the walkers of items that have to differ.</param>
    public ArrayWalker(ArrayFrame.ArrayFrames frames, bool isCompact, Ledger ledger)
    {
        (_frames, _isCompact) = (frames, isCompact);
        if (!frames.Plan.Shape.IsUnique)
            return;
        _unique = new RecordedTextWalker[frames.Plan.Alternatives.Length];
        for (int i = 0; i < _unique.Length; i++)
            _unique[i] = new RecordedTextWalker(
                frames.Plan.Alternatives[i].Text!,
                this,
                Register(ArrayPhase.BehindRecorded, i)
            )
            {
                Id = ledger.NextId(),
            };
    }

    private enum ArrayPhase
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
            successors.Add(new Reading(this, callers, frame, null, Register(ArrayPhase.Before)));
    }

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        ArrayPhase phase = PhaseOf(reading);
        if (phase == ArrayPhase.Before)
        {
            if (symbol == '[')
                successors.Add(reading with { Register = Register(ArrayPhase.First) });
            return;
        }
        Reading known = reading;
        if (phase == ArrayPhase.BehindRecorded)
        {
            int alternative = (int)(reading.Register >> AlternativeAt);
            phase = ArrayPhase.BehindItem;
            known = reading with
            {
                Frame = ((ArrayFrame)reading.Frame!).With(alternative, successors.Recorded),
                Register = Register(phase),
            };
        }
        var frame = (ArrayFrame)known.Frame!;
        if (NextSpace(reading, symbol) is var space and >= 0)
            successors.Add(known with { Register = Register(phase, 0, space) });
        else if (symbol == ']' && phase != ArrayPhase.Next && frame.MayClose)
            successors.Complete(known.Callers);
        else if (symbol == ',' && phase == ArrayPhase.BehindItem && frame.Choices.Length > 0)
            successors.Add(known with { Register = Register(ArrayPhase.Next) });
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols)
    {
        if (PhaseOf(reading) == ArrayPhase.Before)
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
        if (PhaseOf(reading) is not (ArrayPhase.First or ArrayPhase.Next))
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
                        Register = Register(ArrayPhase.BehindItem),
                    }
                );
    }

    /// <inheritdoc/>
    public override bool IsPending(in Reading reading) => PhaseOf(reading) == ArrayPhase.BehindRecorded;

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

    private static ulong Register(ArrayPhase phase, int alternative = 0, int space = 0) =>
        (ulong)phase | ((ulong)space << SpaceAt) | ((ulong)alternative << AlternativeAt);

    private static ArrayPhase PhaseOf(in Reading reading) => (ArrayPhase)(reading.Register & 0xF);
}
