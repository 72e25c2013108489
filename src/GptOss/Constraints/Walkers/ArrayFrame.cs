namespace GptOss.Constraints.Walkers;

/// <summary>The items that an array has so far, and by that what may come next.</summary>
internal sealed class ArrayFrame : Frame
{
    private readonly ArrayFrames _table;
    private readonly ArrayHistory _history;
    private ArrayFrame? _representative;
    private int[]? _choices;

    private ArrayFrame(ArrayFrames table, ArrayHistory history, UsedTexts? used) =>
        (_table, _history, Used) = (table, history, used);

    /// <summary>The items from which another has to differ; null where they are not all known.</summary>
    public UsedTexts? Used { get; }

    /// <summary>The alternatives of the next item.</summary>
    public int[] Choices => _choices ??= Choose();

    /// <summary>Whether the array may end.</summary>
    public bool MayClose => _history.MayClose(_table.Plan);

    /// <summary>
    /// The frame that stands for all that allow the same for as long as a token is. Where distinct items can run out
    /// it is the frame itself.
    /// </summary>
    public override Frame Representative => _representative ??= FindRepresentative();

    /// <summary>The frame behind one more item.</summary>
    /// <param name="alternative">One of <see cref="Choices"/> of the frame.</param>
    /// <param name="text">Its bytes where items have to differ; null where they are not known.</param>
    public ArrayFrame With(int alternative, byte[]? text) =>
        _table.Intern(
            _history.With(_table.Plan, alternative)!,
            !_table.Plan.Shape.IsUnique || text is null ? null : Used?.With(text)
        );

    private int[] Choose()
    {
        ArrayPlan plan = _table.Plan;
        if (_history.Count >= plan.Distinct)
            return [];
        return
        [
            .. plan.At(_history.Count)
                .Where(choice => _history.With(plan, choice) is { } longer && _table.Ends.CanEnd(longer)),
        ];
    }

    private ArrayFrame FindRepresentative()
    {
        ArrayPlan plan = _table.Plan;
        if (plan.Distinct != long.MaxValue)
            return this;
        int count = _history.Count,
            min = Math.Max(plan.Shape.MinItems, plan.Shape.Prefix.Count);
        if (plan.Shape.Contains.Count == 0)
            if (count >= plan.Shape.Prefix.Count && count + TextLengths.Margin < plan.Shape.MinItems)
                count = plan.Shape.Prefix.Count;
            else if (count >= min && count + TextLengths.Margin < plan.Shape.MaxItems)
                count = min;
        return _table.Intern(_history with { Count = count }, null);
    }

    /// <summary>Holds the frames of an array that were made, so that equal ones are one instance.</summary>
    internal sealed class ArrayFrames(ArrayPlan plan, Ledger ledger)
    {
        private readonly Dictionary<(ArrayHistory History, UsedTexts? Used), ArrayFrame> _frames = [];
        private readonly UsedTexts.TextTable _texts = new(ledger);

        /// <summary>Which arrays can be completed.</summary>
        public ArrayEnds Ends { get; } = new(plan);

        /// <summary>What does not change about the array.</summary>
        public ArrayPlan Plan => plan;

        /// <summary>The frame of an array without items; null where it cannot be completed.</summary>
        /// <param name="levels">How many levels of objects and arrays may be opened in it.</param>
        public ArrayFrame? Start(int levels)
        {
            ArrayHistory start = ArrayHistory.Start(plan, levels);
            return levels >= 0 && Ends.CanEnd(start) ? Intern(start, plan.Shape.IsUnique ? _texts.Empty : null) : null;
        }

        /// <summary>Forgets the frames; those in use elsewhere stay what they are.</summary>
        public void Forget()
        {
            _frames.Clear();
            _texts.Forget();
        }

        internal ArrayFrame Intern(ArrayHistory history, UsedTexts? used)
        {
            if (!_frames.TryGetValue((history, used), out ArrayFrame? frame))
            {
                frame = new ArrayFrame(this, history, used) { Id = ledger.NextId() };
                _frames.Add((history, used), frame);
                ledger.Take(300);
            }
            return frame;
        }
    }
}
