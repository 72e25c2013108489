namespace GptOss.Constraints.Schemas;

/// <summary>
/// Gives every rule the fewest levels of objects and arrays that its values have, and takes out what has no value: a
/// rule that needs itself, or a required property that cannot be.
/// </summary>
/// <param name="budget">Pays for every look at a shape.</param>
internal sealed class Heights(CompileBudget budget)
{
    private const int None = int.MaxValue;

    private readonly Dictionary<Rule, Rule> _needed = [];

    /// <summary>For a rule without a value, another one without a value that its values would need.</summary>
    public IReadOnlyDictionary<Rule, Rule> Needed => _needed;

    /// <summary>Finds all heights, then leaves only shapes that have a value.</summary>
    public void Settle(IReadOnlyCollection<Rule> rules)
    {
        List<Rule> unknown = [.. rules];
        foreach (Rule rule in rules)
            rule.Height = None;
        // A container is one level higher than what it needs, so the rules of each height follow from those below.
        for (int height = 0, found = 1; height <= Rule.MostDepth && (found > 0 || height < 2); height++)
        {
            List<Rule> settled = unknown.FindAll(rule => rule.Alternatives.Exists(shape => HeightOf(shape) <= height));
            foreach (Rule rule in settled)
                rule.Height = height;
            unknown.RemoveAll(rule => rule.Height != None);
            found = settled.Count;
        }
        foreach (Rule rule in unknown)
            Blame(rule);
        foreach (Rule rule in rules)
            Prune(rule);
    }

    private int HeightOf(Shape shape)
    {
        budget.Take(1);
        return shape switch
        {
            ObjectShape container => HeightOf(container),
            ArrayShape container => HeightOf(container),
            _ => 0,
        };
    }

    private int HeightOf(ObjectShape shape)
    {
        budget.Take(shape.Properties.Count + shape.DependentRequired.Count + shape.Extras.Count);
        bool[] canCome = Possible(shape);
        bool[] hasToCome = Necessary(shape);
        int[] optional =
        [
            .. Enumerable
                .Range(0, canCome.Length)
                .Where(index => canCome[index] && !hasToCome[index])
                .Select(index => shape.Properties[index].Value!.Height),
        ];
        int count = hasToCome.Count(has => has) + shape.MinCounted,
            height = 0;
        for (int index = 0; index < hasToCome.Length; index++)
            if (hasToCome[index])
                height = Math.Max(height, canCome[index] ? shape.Properties[index].Value!.Height : None);
        if (shape.MinCounted > 0)
            height = Math.Max(height, Lowest(shape.Extras.Where(extra => extra.Counts)));
        if (height == None || count > shape.MaxProperties)
            return None;
        // The lowest of the optional ones make up the number; extra names come as often as there are such names.
        int missing = shape.MinProperties - count;
        if (missing > 0)
        {
            int extra = Lowest(shape.Extras);
            IEnumerable<int> extras = extra == None ? [] : Enumerable.Repeat(extra, (int)Math.Min(Names(shape), missing));
            int[] lowest = [.. optional.Concat(extras).Order().Take(missing)];
            height = lowest.Length < missing ? None : Math.Max(height, lowest[^1]);
        }
        return height == None ? None : height + 1;
    }

    private static int Lowest(IEnumerable<ExtraProperties> extras) =>
        extras.Select(extra => extra.Values.Height).DefaultIfEmpty(None).Min();

    // The extra names that have a value; a declared one is none of them.
    private static long Names(ObjectShape shape)
    {
        long names = 0;
        foreach (ExtraProperties extra in shape.Extras)
            if (extra.Values.Height != None && !extra.Counts)
            {
                long all = extra.Names.Measures.Texts(Regular.CodePointDfa.Start);
                long declared = all == long.MaxValue ? 0 : shape.Properties.Count(p => extra.Names.Accepts(p.Name));
                names = Math.Min(names + Math.Min(all - declared, SchemaValue.MostSize), SchemaValue.MostSize);
            }
        return names;
    }

    // The declared properties that have a value, and whose companions have one.
    private static bool[] Possible(ObjectShape shape)
    {
        bool[] canCome = [.. shape.Properties.Select(property => property.Value is { Height: not None })];
        for (bool changed = true; changed; )
        {
            changed = false;
            foreach ((int first, int then) in shape.DependentRequired)
                if (canCome[first] && !canCome[then])
                    (canCome[first], changed) = (false, true);
        }
        return canCome;
    }

    private static bool[] Necessary(ObjectShape shape)
    {
        bool[] hasToCome = [.. shape.Properties.Select(property => property.IsRequired)];
        for (bool changed = true; changed; )
        {
            changed = false;
            foreach ((int first, int then) in shape.DependentRequired)
                if (hasToCome[first] && !hasToCome[then])
                    (hasToCome[then], changed) = (true, true);
        }
        return hasToCome;
    }

    private int HeightOf(ArrayShape shape)
    {
        budget.Take(shape.Prefix.Count + shape.Rest.Count);
        int most = Math.Min(shape.MaxItems ?? None, MostItems(shape));
        var counter = new ItemCounter(shape);
        int height = 0;
        // Behind the prefix all places are the same: one more look for each demand is enough.
        for (int place = 0; place < shape.Prefix.Count + 1; place++)
        {
            bool isRest = place == shape.Prefix.Count;
            int times = isRest ? counter.Missing(shape.MinItems - place) : counter.Missing(shape.MinItems - place) > 0 ? 1 : 0;
            if (times == 0)
                break;
            if (place + (long)times > most)
                return None;
            height = Math.Max(height, counter.Take(isRest ? shape.Rest : shape.Prefix[place], times));
            if (height == None)
                return None;
        }
        return counter.IsMet ? height + 1 : None;
    }

    // As far as every place has an item.
    private static int MostItems(ArrayShape shape)
    {
        for (int place = 0; place < shape.Prefix.Count; place++)
            if (!shape.Prefix[place].Any(IsThere))
                return place;
        return shape.Rest.Any(IsThere) ? None : shape.Prefix.Count;
    }

    private static bool IsThere(Item item) => item.Value.Height != None;

    private void Blame(Rule rule)
    {
        IEnumerable<Rule> needed = rule
            .Alternatives.SelectMany(shape =>
                shape switch
                {
                    ObjectShape container => container
                        .Properties.Where(property => property.IsRequired)
                        .Select(property => property.Value)
                        .OfType<Rule>(),
                    ArrayShape container => container
                        .Prefix.Append(container.Rest)
                        .SelectMany(items => items.Select(item => item.Value)),
                    _ => [],
                }
            )
            .Where(other => other.Height == None);
        if (needed.FirstOrDefault() is Rule first)
            _needed[rule] = first;
    }

    private void Prune(Rule rule)
    {
        List<Shape> living = rule.Alternatives.FindAll(shape => HeightOf(shape) != None);
        rule.Alternatives.Clear();
        foreach (Shape shape in living)
            rule.Alternatives.Add(
                shape switch
                {
                    ObjectShape container => Pruned(container),
                    ArrayShape container => Pruned(container),
                    _ => shape,
                }
            );
    }

    private static ObjectShape Pruned(ObjectShape shape)
    {
        bool[] canCome = Possible(shape);
        bool[] hasToCome = Necessary(shape);
        return shape with
        {
            Properties =
            [
                .. shape.Properties.Select(
                    (property, index) =>
                        property with
                        {
                            Value = canCome[index] ? property.Value : null,
                            IsRequired = hasToCome[index],
                        }
                ),
            ],
            DependentRequired =
            [
                .. shape.DependentRequired.Where(pair => canCome[pair.If] && !hasToCome[pair.Then]),
            ],
            Extras = [.. shape.Extras.Where(extra => extra.Values.Height != None)],
        };
    }

    private static ArrayShape Pruned(ArrayShape shape)
    {
        int places = MostItems(shape);
        return places > shape.Prefix.Count
            ? shape with
            {
                Prefix = [.. shape.Prefix.Select(Living)],
                Rest = Living(shape.Rest),
            }
            : shape with
            {
                Prefix = [.. shape.Prefix.Take(places).Select(Living)],
                Rest = [],
                MaxItems = Math.Min(shape.MaxItems ?? places, places),
            };
    }

    private static List<Item> Living(IReadOnlyList<Item> items) => [.. items.Where(IsThere)];
}
