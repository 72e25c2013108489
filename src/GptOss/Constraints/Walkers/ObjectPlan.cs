using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>What does not change about an object while it is read: its names, and what has to come with what.</summary>
internal sealed class ObjectPlan
{
    private readonly long[] _undeclared;

    /// <param name="shape">The shape as it was compiled.</param>
    /// <param name="calleeOf">The rule of a value as it is called.</param>
    /// <param name="textOf">The names of a language as they are written.</param>
    /// <param name="budget">Pays for the names that require others.</param>
    /// <exception cref="LimitException">Names that need each other stand beside bounds on their number.</exception>
    public ObjectPlan(
        ObjectShape shape,
        Func<Rule, Callee> calleeOf,
        Func<CodePointDfa, RecordedText> textOf,
        CompileBudget budget
    )
    {
        Shape = shape;
        Count = shape.Properties.Count;
        Values = [.. shape.Properties.Select(property => property.Value is { } value ? calleeOf(value) : null)];
        IsCounted = shape.MinProperties > 0 || shape.MaxProperties is not null;
        if (shape.DependentRequired.Count > 0)
        {
            List<int>[] required = [.. shape.Properties.Select(_ => new List<int>())];
            foreach ((int name, int then) in shape.DependentRequired)
                required[name].Add(then);
            if (IsCounted && HasCircle(required))
                throw new LimitException("has properties that require each other beside bounds on their number");
            Companions = new Companions(required, budget);
        }

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

    /// <summary>About how many bytes the plan takes.</summary>
    public long Bytes => 200 * Count + Names.Bytes + (Companions is null ? 0 : (long)Count * Count / 8);

    /// <summary>The names that have to come with others; null where no name requires another one.</summary>
    public Companions? Companions { get; }

    /// <summary>Whether the number of properties matters.</summary>
    public bool IsCounted { get; }

    /// <summary>Whether the last declared name says all that matters of those before it.</summary>
    public bool PositionSaysAll => !Shape.IsAnyOrder && Companions is null && !IsCounted;

    /// <summary>The greatest height of a value: with more levels than that left, depth does not matter.</summary>
    public int Highest { get; }

    /// <summary>How many undeclared names a language has that is not endless.</summary>
    public long Undeclared(int language) => _undeclared[language];

    // Takes away, one after another, names that no other one still there requires.
    private static bool HasCircle(List<int>[] all)
    {
        var required = new int[all.Length];
        foreach (List<int> then in all)
        foreach (int name in then)
            required[name]++;
        var free = new Queue<int>(Enumerable.Range(0, all.Length).Where(name => required[name] == 0));
        int taken = 0;
        for (; free.TryDequeue(out int name); taken++)
            foreach (int then in all[name])
                if (--required[then] == 0)
                    free.Enqueue(then);
        return taken < all.Length;
    }

    /// <summary>Undeclared names of one language with the rule of their values.</summary>
    internal readonly record struct Extra(RecordedText Text, int Language, Callee Value, bool Counts);
}
