namespace GptOss.Constraints.Walkers;

/// <summary>Walks a JSON object whose names and bounds are described by an <see cref="ObjectPlan"/>.</summary>
/// <remarks>
/// The register, from its low end: 4 bits <see cref="ObjectPhase"/>, 8 bits white space, 20 bits the number of a
/// property, 32 bits the node in the trie of names. One reading stands for all declared names that begin as it does.
/// </remarks>
internal sealed class ObjectWalker : Walker
{
    private const int SpaceAt = 4,
        PropertyAt = 12,
        NodeAt = 32;

    private readonly ObjectFrame.ObjectFrames _frames;
    private readonly RecordedTextWalker[] _extras;
    private readonly bool _isCompact;

    /// <param name="frames">The frames of the object.</param>
    /// <param name="isCompact">Whether no white space comes between tokens.</param>
    /// <param name="ledger">Numbers the walkers of undeclared names.</param>
    public ObjectWalker(ObjectFrame.ObjectFrames frames, bool isCompact, Ledger ledger)
    {
        (_frames, _isCompact) = (frames, isCompact);
        ObjectPlan plan = frames.Plan;
        _extras = new RecordedTextWalker[plan.Extras.Length];
        for (int extra = 0; extra < _extras.Length; extra++)
            _extras[extra] = new RecordedTextWalker(
                plan.Extras[extra].Text,
                this,
                Register(ObjectPhase.BehindExtraName, plan.Count + extra)
            )
            {
                Id = ledger.NextId(),
            };
    }

    private enum ObjectPhase
    {
        Before, // the opening brace
        First, // behind the opening brace
        Name,
        BehindName,
        BehindExtraName, // BehindName, but the name has not joined the used ones
        Value, // behind the colon
        BehindValue,
        Next, // behind the comma
    }

    /// <inheritdoc/>
    public override int Levels => 1;

    private ObjectPlan Plan => _frames.Plan;

    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors)
    {
        int levels = Rule.MostDepth - callers.Depth - Levels;
        if (levels >= 0 && _frames.Start(levels) is { Choices.IsPossible: true } frame)
            successors.Add(new Reading(this, callers, frame, null, Register(ObjectPhase.Before)));
    }

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors)
    {
        ObjectPhase phase = PhaseOf(reading);
        var frame = (ObjectFrame)reading.Frame!;
        if (phase == ObjectPhase.Before)
        {
            if (symbol == '{')
                successors.Add(reading with { Register = Register(ObjectPhase.First) });
            return;
        }
        if (phase == ObjectPhase.Name)
        {
            StepName(reading, symbol, successors);
            return;
        }
        Reading known = reading;
        int property = PropertyOf(reading);
        if (phase == ObjectPhase.BehindExtraName)
        {
            frame = frame.WithExtra(property - Plan.Count, successors.Recorded);
            phase = ObjectPhase.BehindName;
            known = reading with { Frame = frame, Register = Register(phase, property) };
        }
        if (NextSpace(reading, symbol) is var space and >= 0)
            successors.Add(known with { Register = Register(phase, property, space) });
        else
            StepToken(known, phase, symbol, successors);
    }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols)
    {
        ObjectPhase phase = PhaseOf(reading);
        if (phase == ObjectPhase.Name)
        {
            Plan.Names.AddSymbols((int)(reading.Register >> NodeAt), symbols);
            return;
        }
        if (phase == ObjectPhase.Before)
        {
            symbols.Add('{');
            return;
        }
        symbols.AddSpace();
        symbols.Add('"');
        symbols.Add(':');
        symbols.Add(',');
        symbols.Add('}');
    }

    /// <inheritdoc/>
    public override void Close(in Reading reading, Successors successors)
    {
        if (PhaseOf(reading) != ObjectPhase.Value)
            return;
        int property = PropertyOf(reading);
        Callee value = property < Plan.Count ? Plan.Values[property]! : Plan.Extras[property - Plan.Count].Value;
        successors.Call(value, reading with { Register = Register(ObjectPhase.BehindValue) });
    }

    /// <inheritdoc/>
    public override bool IsPending(in Reading reading) => PhaseOf(reading) == ObjectPhase.BehindExtraName;

    /// <inheritdoc/>
    public override Reading Representative(in Reading reading) =>
        reading with
        {
            Frame = reading.Frame!.Representative,
        };

    /// <inheritdoc/>
    public override void Forget() => _frames.Forget();

    private void StepToken(in Reading reading, ObjectPhase phase, int symbol, Successors successors)
    {
        ObjectChoices choices = ((ObjectFrame)reading.Frame!).Choices;
        switch (phase, symbol)
        {
            case (ObjectPhase.First or ObjectPhase.Next, '"'):
                BeginName(reading, successors);
                break;
            case (ObjectPhase.First or ObjectPhase.BehindValue, '}') when choices.MayClose:
                successors.Complete(reading.Callers);
                break;
            case (ObjectPhase.BehindName, ':'):
                successors.Add(reading with { Register = Register(ObjectPhase.Value, PropertyOf(reading)) });
                break;
            case (ObjectPhase.BehindValue, ',') when choices.MayGoOn:
                successors.Add(reading with { Register = Register(ObjectPhase.Next) });
                break;
        }
    }

    private void BeginName(in Reading reading, Successors successors)
    {
        var frame = (ObjectFrame)reading.Frame!;
        StepName(reading with { Register = Register(ObjectPhase.Name) }, '"', successors);
        for (int extra = 0; extra < _extras.Length; extra++)
            if (frame.Choices.Extras[extra])
                _extras[extra].Step(_extras[extra].Begin(reading, frame.Used), '"', successors);
    }

    private void StepName(in Reading reading, int symbol, Successors successors)
    {
        var frame = (ObjectFrame)reading.Frame!;
        int node = Plan.Names.Next((int)(reading.Register >> NodeAt), symbol);
        if (node < 0 || !Plan.Names.IsAlive(node, frame.Choices.Names))
            return;
        int name = Plan.Names.NameAt(node);
        successors.Add(
            name < 0
                ? reading with
                {
                    Register = Register(ObjectPhase.Name) | ((ulong)node << NodeAt),
                }
                : reading with
                {
                    Frame = frame.WithName(name),
                    Register = Register(ObjectPhase.BehindName, name),
                }
        );
    }

    private int NextSpace(in Reading reading, int symbol) =>
        _isCompact ? WhiteSpace.Refused : WhiteSpace.Next((int)(reading.Register >> SpaceAt) & 0xFF, symbol);

    private static ulong Register(ObjectPhase phase, int property = 0, int space = 0) =>
        (ulong)phase | ((ulong)space << SpaceAt) | ((ulong)property << PropertyAt);

    private static ObjectPhase PhaseOf(in Reading reading) => (ObjectPhase)(reading.Register & 0xF);

    private static int PropertyOf(in Reading reading) => (int)(reading.Register >> PropertyAt) & 0xF_FFFF;
}
