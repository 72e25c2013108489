using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>What does not change about an object while it is read: its names, and what has to come with what.</summary>
internal sealed class ObjectPlan
{
    private readonly List<int>[] _then;
    private readonly long[] _undeclared;

    /// <exception cref="LimitException">Names that need each other stand beside bounds on their number.</exception>
    public ObjectPlan(ObjectShape shape, Func<Rule, Callee> calleeOf, Func<CodePointDfa, RecordedText> textOf)
    {
        Shape = shape;
        Count = shape.Properties.Count;
        Values = [.. shape.Properties.Select(property => property.Value is { } value ? calleeOf(value) : null)];
        _then = [.. shape.Properties.Select(_ => new List<int>())];
        foreach ((int name, int then) in shape.DependentRequired)
            _then[name].Add(then);
        HasDependents = shape.DependentRequired.Count > 0;
        IsCounted = shape.MinProperties > 0 || shape.MaxProperties is not null;
        if (HasDependents && IsCounted && HasCircle())
            throw new LimitException("has properties that require each other beside bounds on their number");

        Names = new NameTrie([.. shape.Properties.Select(property => property.Name)]);
        var languages = new List<CodePointDfa>();
        Extras = new Extra[shape.Extras.Count];
        var texts = new List<RecordedText>();
        for (int i = 0; i < Extras.Length; i++)
        {
            ExtraProperties extra = shape.Extras[i];
            int language = languages.FindIndex(other => ReferenceEquals(other, extra.Names));
            if (language < 0)
            {
                language = languages.Count;
                languages.Add(extra.Names);
                texts.Add(textOf(extra.Names));
            }
            Extras[i] = new Extra(texts[language], language, calleeOf(extra.Values), extra.Counts);
        }
        Languages = [.. texts];
        _undeclared = [.. texts.Select(text => text.Count - (text.IsEndless ? 0 : Names.Spellings.Count(text.Holds)))];
        Highest = Values
            .Select(value => value?.Height ?? 0)
            .Concat(Extras.Select(extra => extra.Value.Height))
            .DefaultIfEmpty()
            .Max();
    }

    /// <summary>The shape as it was compiled.</summary>
    public ObjectShape Shape { get; }

    /// <summary>The number of declared names.</summary>
    public int Count { get; }

    /// <summary>The rule of each declared name; null where the name cannot come.</summary>
    public Callee?[] Values { get; }

    /// <summary>The declared names as a trie.</summary>
    public NameTrie Names { get; }

    /// <summary>The names beside the declared ones.</summary>
    public Extra[] Extras { get; }

    /// <summary>The distinct languages of <see cref="Extras"/>.</summary>
    public RecordedText[] Languages { get; }

    /// <summary>Whether a name can make others necessary.</summary>
    public bool HasDependents { get; }

    /// <summary>Whether the number of properties matters.</summary>
    public bool IsCounted { get; }

    /// <summary>Whether the last declared name says all that matters of those before it.</summary>
    public bool PositionSaysAll => !Shape.IsAnyOrder && !HasDependents && !IsCounted;

    /// <summary>The greatest height of a value: with more levels than that left, depth does not matter.</summary>
    public int Highest { get; }

    /// <summary>The names that a name makes necessary.</summary>
    public IReadOnlyList<int> Then(int name) => _then[name];

    /// <summary>How many undeclared names a language has that is not endless.</summary>
    public long Undeclared(int language) => _undeclared[language];

    // Takes away, one after another, names that no other one still there requires.
    private bool HasCircle()
    {
        var required = new int[Count];
        foreach (List<int> then in _then)
        foreach (int name in then)
            required[name]++;
        var free = new Queue<int>(Enumerable.Range(0, Count).Where(name => required[name] == 0));
        int taken = 0;
        for (; free.TryDequeue(out int name); taken++)
            foreach (int then in _then[name])
                if (--required[then] == 0)
                    free.Enqueue(then);
        return taken < Count;
    }

    /// <summary>Undeclared names of one language with the rule of their values.</summary>
    internal readonly record struct Extra(RecordedText Text, int Language, Callee Value, bool Counts);
}
