namespace GptOss.Constraints.Walkers;

/// <summary>
/// Walks one shape byte by byte. A walker has no state of its own: where it stands is in the <see cref="Reading"/>.
/// </summary>
internal abstract class Walker
{
    /// <summary>The number of the walker in its grammar: readings are sorted by it.</summary>
    public required int Id { get; init; }

    /// <summary>How many levels of objects and arrays the shape opens around what it calls.</summary>
    public virtual int Levels => 0;

    /// <summary>Whether the shape may be empty; of a net it depends on the rules that it calls.</summary>
    public virtual bool IsNullable => false;

    /// <summary>Adds the readings in which the shape begins; none where it cannot be completed there.</summary>
    public abstract void Enter(Callers callers, Successors successors);

    /// <summary>Adds the readings behind a byte, or behind a marker as 256 plus its number.</summary>
    public abstract void Step(in Reading reading, int symbol, Successors successors);

    /// <summary>Adds the symbols that may follow, and perhaps some that may not.</summary>
    public abstract void AddSymbols(in Reading reading, SymbolSet symbols);

    /// <summary>Adds what a reading reaches without reading anything: calls, and the end of the shape.</summary>
    public virtual void Close(in Reading reading, Successors successors) { }

    /// <summary>Whether nothing but the end of the shape follows: then a call there need not come back.</summary>
    public virtual bool IsAtEnd(in Reading reading) => false;

    /// <summary>Whether the bytes read belong to a text that has to differ from those before it.</summary>
    public virtual bool IsRecording(in Reading reading) => false;

    /// <summary>Whether a recorded text is complete and joins those that are used with the next byte.</summary>
    public virtual bool IsPending(in Reading reading) => false;

    /// <summary>Whether every byte is free, for good.</summary>
    public virtual bool IsFree(in Reading reading) => false;

    /// <summary>How many plain characters, whichever they are, the reading surely survives.</summary>
    public virtual int Survives(in Reading reading) => 0;

    /// <summary>
    /// Whether plain characters never lead out of this shape, nor depend on anything but the register: then which plain
    /// tokens may follow is worked out once for all places.
    /// </summary>
    /// <param name="reading">A reading of this walker.</param>
    /// <param name="text">The text whose register says which; null where no more survive than surely do.</param>
    public virtual bool IsPlainInside(in Reading reading, out SpelledText? text)
    {
        text = null;
        return false;
    }

    /// <summary>
    /// A reading that allows the same tokens, with counters and used texts replaced by what stands for many of them.
    /// </summary>
    public virtual Reading Representative(in Reading reading) => reading;

    /// <summary>Forgets what can be made again.</summary>
    public virtual void Forget() { }
}

/// <summary>
/// One way to read the text so far: where in a shape it stands, and who goes on when the shape is complete.
/// </summary>
/// <param name="Walker">Walks the shape in question.</param>
/// <param name="Callers">Who called the shape's rule.</param>
/// <param name="Frame">What an object or array has had so far; null for other shapes.</param>
/// <param name="Place">Where a text stands among those that it has to differ from; null where there are none.</param>
/// <param name="Register">The walker's own state.</param>
internal readonly record struct Reading(Walker Walker, Callers Callers, Frame? Frame, UsedTexts? Place, ulong Register)
    : IComparable<Reading>
{
    /// <inheritdoc/>
    public bool Equals(Reading other) =>
        ReferenceEquals(Walker, other.Walker)
        && Register == other.Register
        && ReferenceEquals(Callers, other.Callers)
        && ReferenceEquals(Frame, other.Frame)
        && ReferenceEquals(Place, other.Place);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        ulong mixed = (Register + 0x9E37_79B9_7F4A_7C15) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 31) ^ (uint)Walker.Id) * 0x94D0_49BB_1331_11EB;
        mixed = (mixed ^ (mixed >> 29) ^ (uint)Callers.Id) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 30) ^ (uint)(Frame?.Id ?? 0)) * 0x94D0_49BB_1331_11EB;
        return (int)((mixed ^ (mixed >> 32)) + (uint)(Place?.Id ?? 0) * 0x9E37_79B1);
    }

    /// <inheritdoc/>
    public int CompareTo(Reading other)
    {
        int order = Walker.Id.CompareTo(other.Walker.Id);
        if (order == 0)
            order = Register.CompareTo(other.Register);
        if (order == 0)
            order = Callers.Id.CompareTo(other.Callers.Id);
        if (order == 0)
            order = (Frame?.Id ?? 0).CompareTo(other.Frame?.Id ?? 0);
        return order == 0 ? (Place?.Id ?? 0).CompareTo(other.Place?.Id ?? 0) : order;
    }
}

/// <summary>
/// The readings that go on when a called rule is complete. All calls of a rule at one place of the text share one
/// instance, as in Earley's parser, so that ambiguity stays polynomial.
/// </summary>
internal sealed class Callers(int id, Reading[] readings, int depth)
{
    /// <summary>The callers of nobody.</summary>
    public static Callers None { get; } = new(0, [], 0);

    /// <summary>The number of the instance in its grammar.</summary>
    public int Id { get; } = id;

    /// <summary>The readings that go on, sorted.</summary>
    public Reading[] Readings { get; } = readings;

    /// <summary>How many objects and arrays are open inside them.</summary>
    public int Depth { get; } = depth;

    /// <summary>The callers that stand for these in masks, once it has been looked for.</summary>
    public Callers? Representative { get; set; }
}

/// <summary>A rule as it is called.</summary>
internal sealed class Callee(Rule rule)
{
    /// <summary>The name of the rule, for messages.</summary>
    public string Name => rule.Name;

    /// <summary>The fewest levels of objects and arrays of the rule's texts.</summary>
    public int Height => rule.Height;

    /// <summary>The walkers of the rule's alternatives.</summary>
    public IReadOnlyList<Walker> Walkers { get; set; } = [];

    /// <summary>Whether the rule may be empty.</summary>
    public bool IsNullable { get; set; }

    /// <summary>More than that of every rule by which this one can be called before anything is read.</summary>
    public int Rank { get; set; }
}

/// <summary>What an object or an array has had so far. Frames are interned: equal ones are one instance.</summary>
internal abstract class Frame
{
    /// <summary>The number of the frame in its grammar, from 1.</summary>
    public required int Id { get; init; }

    /// <summary>
    /// The frame that allows the same tokens, with counters and used texts replaced by what stands for many of them.
    /// </summary>
    public abstract Frame Representative { get; }
}

/// <summary>Takes what a walker finds behind a byte.</summary>
internal abstract class Successors
{
    /// <summary>The text that was recorded before the byte; null where only masks are computed.</summary>
    public byte[]? Recorded { get; protected set; }

    /// <summary>Adds a reading, and what it reaches without reading anything.</summary>
    public abstract void Add(in Reading reading);

    /// <summary>Calls a rule for somebody.</summary>
    /// <param name="callee">The rule; not entered where the answer would nest too deep.</param>
    /// <param name="then">The reading that goes on when the rule is complete.</param>
    public abstract void Call(Callee callee, in Reading then);

    /// <summary>What comes next depends on a text that is not known here.</summary>
    public abstract void AskForText();

    /// <summary>Pays for work beside what is added: a look at one thing is one step.</summary>
    public abstract void Spend(int steps);

    /// <summary>Goes on with the callers of a rule that is complete.</summary>
    public void Complete(Callers callers)
    {
        foreach (ref readonly Reading reading in callers.Readings.AsSpan())
            Add(reading);
    }
}

/// <summary>The end of the whole text: whoever reaches it is complete.</summary>
internal sealed class EndWalker : Walker
{
    /// <inheritdoc/>
    public override void Enter(Callers callers, Successors successors) =>
        successors.Add(new Reading(this, callers, null, null, 0));

    /// <inheritdoc/>
    public override void Step(in Reading reading, int symbol, Successors successors) { }

    /// <inheritdoc/>
    public override void AddSymbols(in Reading reading, SymbolSet symbols) { }
}
