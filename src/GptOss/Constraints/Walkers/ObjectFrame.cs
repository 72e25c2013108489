namespace GptOss.Constraints.Walkers;

/// <summary>The properties that an object has so far, and by that what may come next.</summary>
internal sealed class ObjectFrame : Frame
{
    private readonly ObjectFrames _table;
    private readonly ObjectHistory _history;
    private ObjectFrame? _representative;
    private ObjectChoices? _choices;

    private ObjectFrame(ObjectFrames table, ObjectHistory history, UsedTexts? used) =>
        (_table, _history, Used) = (table, history, used);

    /// <summary>
    /// The names that an undeclared one has to differ from; null where they are not all known. Declared names belong
    /// to them, the forbidden ones too.
    /// </summary>
    public UsedTexts? Used { get; }

    /// <summary>What may come next.</summary>
    public ObjectChoices Choices => _choices ??= ObjectChoices.Of(_table.Plan, _history);

    /// <summary>
    /// The frame that stands for all whose undeclared names differ. Where these can run out it is the frame itself.
    /// </summary>
    public override Frame Representative =>
        _representative ??= _table.Plan.Languages.All(language => language.IsEndless)
            ? _table.Intern(_history, null)
            : this;

    /// <summary>The frame behind a declared name.</summary>
    public ObjectFrame WithName(int name) => _table.Intern(_history.With(_table.Plan, name), Used);

    /// <summary>The frame behind an undeclared name.</summary>
    /// <param name="extra">The number of its kind.</param>
    /// <param name="text">Its bytes; null where they are not known.</param>
    public ObjectFrame WithExtra(int extra, byte[]? text) =>
        _table.Intern(_history.With(_table.Plan, _table.Plan.Extras[extra]), text is null ? null : Used?.With(text));

    /// <summary>Holds the frames of an object that were made, so that equal ones are one instance.</summary>
    internal sealed class ObjectFrames
    {
        private readonly Dictionary<(ObjectHistory History, UsedTexts? Used), ObjectFrame> _frames = [];
        private readonly UsedTexts.TextTable _texts;
        private readonly Ledger _ledger;
        private UsedTexts? _declared;

        public ObjectFrames(ObjectPlan plan, Ledger ledger)
        {
            (Plan, _ledger) = (plan, ledger);
            _texts = new UsedTexts.TextTable(ledger);
        }

        /// <summary>What does not change about the object.</summary>
        public ObjectPlan Plan { get; }

        /// <summary>The frame of an object without properties.</summary>
        /// <param name="levels">How many levels of objects and arrays may be opened in it.</param>
        public ObjectFrame Start(int levels) => Intern(ObjectHistory.Start(Plan, levels), Declared());

        /// <summary>Forgets the frames; those in use elsewhere stay what they are.</summary>
        public void Forget()
        {
            _frames.Clear();
            _texts.Forget();
            _declared = null;
        }

        internal ObjectFrame Intern(ObjectHistory history, UsedTexts? used)
        {
            if (!_frames.TryGetValue((history, used), out ObjectFrame? frame))
            {
                frame = new ObjectFrame(this, history, used) { Id = _ledger.NextId() };
                _frames.Add((history, used), frame);
                _ledger.Take(400 + 3 * Plan.Count / 8);
            }
            return frame;
        }

        // Without undeclared names nothing is looked up among the declared ones.
        private UsedTexts Declared()
        {
            if (_declared is null)
            {
                _declared = _texts.Empty;
                if (Plan.Extras.Length > 0)
                    foreach (byte[] name in Plan.Names.Spellings)
                        _declared = _declared.With(name);
            }
            return _declared;
        }
    }
}
