namespace GptOss.Harmony;

/// <summary>Puts types together: both at once, one of several, one and perhaps another.</summary>
/// <remarks>
/// What is put together names every property and every value that its parts name, also where no value could have them
/// all: the model shall know the words. The result is otherwise as narrow as its parts allow.
/// </remarks>
internal sealed class ToolTypeAlgebra(SchemaBudget budget)
{
    // What stands around a choice is said of each variant as long as no more types than this are repeated by it.
    private const int MaximumCopies = 200;

    // So many parts are put together one by one, in their order.
    private const int FewParts = 8;

    /// <summary>
    /// What is <paramref name="a"/> and <paramref name="b"/> at once; what a says to people comes first.
    /// </summary>
    public ToolType And(ToolType a, ToolType b)
    {
        if (!budget.Step(1 + a.Properties.Count + b.Properties.Count + Count(a.Literals) + Count(b.Literals)))
            return a.SaysNothing ? b : a;
        if (a.Variants is { } variants)
        {
            if (b.Variants is null)
                return Annotated(Choice(b.Bare, variants, asList: false, a.Nullable), Said(a, b));
            return Product(a, b);
        }
        return b.Variants is null
            ? Facts(a, b)
            : Annotated(Choice(a.Bare, b.Variants, asList: false, b.Nullable), Said(a, b));
    }

    /// <summary>
    /// Each of the one's variants with each of the other's; where that would repeat too much, the one and perhaps the
    /// other.
    /// </summary>
    private ToolType Product(ToolType a, ToolType b)
    {
        IReadOnlyList<ToolType> ones = a.Variants ?? [a.Bare],
            others = b.Variants ?? [b.Bare];
        int left = MaximumCopies;
        CountCopies(a, others.Count - 1, ref left);
        CountCopies(b, ones.Count - 1, ref left);
        bool orNull = a.Nullable || b.Nullable;
        if (left < 0)
            return MaybeEach(a, others) with { Nullable = orNull };
        return Annotated(OneOf(from one in ones from other in others select Facts(one, other)), Said(a, b)) with
        {
            Nullable = orNull,
        };
    }

    private static void CountCopies(ToolType type, int times, ref int left)
    {
        if (left < 0 || times == 0)
            return;
        left -= times;
        foreach (ToolType part in type.Parts)
            CountCopies(part, times, ref left);
    }

    /// <summary>What is <paramref name="a"/>, and may be <paramref name="b"/> besides.</summary>
    public ToolType Maybe(ToolType a, ToolType b)
    {
        if (!budget.Step(1 + b.Properties.Count + Count(a.Literals)) || !Adds(a, b))
            return a;
        if (b.Variants is not null)
            return MaybeEach(a, b.Variants);
        if (a.Variants is not null)
            return a with { Variants = OneOf([.. a.Variants, b]).Variants ?? a.Variants };
        if (
            a.Literals is not null
            && b.Literals is not null
            && !a.HasMembers
            && !a.HasItems
            && !b.HasMembers
            && !b.HasItems
        )
            return a with { Literals = [.. a.Literals.Union(b.Literals)] };
        bool areObjects =
            a.Literals is null
            && b.Literals is null
            && !a.HasItems
            && !b.HasItems
            && (IsObject(a) || (a.SaysNothing && IsObject(b)))
            && (IsObject(b) || b.Words.Count == 0);
        if (!areObjects)
        {
            int left = MaximumCopies;
            CountCopies(a, 1, ref left);
            return Annotated(OneOf([a.Bare, left < 0 ? b : Facts(a.Bare, b)]), a) with { Nullable = a.Nullable };
        }

        var properties = new OrderedDictionary<string, ToolType>(a.Properties);
        foreach ((string name, ToolType property) in b.Properties)
            properties[name] = properties.TryGetValue(name, out ToolType? own) ? Maybe(own, property) : property;
        return a with
        {
            Words = a.Words.Count > 0 ? a.Words : ["object"],
            Properties = properties,
            Indexes = Union(a.Indexes, b.Indexes),
            IsBare = false,
        };
    }

    /// <summary>What is <paramref name="a"/>, and may be each of <paramref name="others"/> besides.</summary>
    /// <remarks>
    /// Many objects are put together by halves first: one by one, what is there already would be copied for each.
    /// </remarks>
    public ToolType MaybeEach(ToolType a, IReadOnlyList<ToolType> others)
    {
        ToolType[] objects =
            others.Count > FewParts
                ? [.. others.Where(one => IsObject(one) && one.Literals is null && !one.HasItems)]
                : [];
        if (objects.Length <= FewParts)
            return others.Aggregate(a, Maybe);
        return others
            .Except(objects, ReferenceEqualityComparer.Instance)
            .Cast<ToolType>()
            .Aggregate(Maybe(a, Halves(objects)), Maybe);

        ToolType Halves(ReadOnlySpan<ToolType> parts) =>
            parts.Length == 1
                ? parts[0]
                : Maybe(Halves(parts[..(parts.Length / 2)]), Halves(parts[(parts.Length / 2)..]));
    }

    /// <summary>What is <paramref name="around"/>, and one of <paramref name="variants"/> besides.</summary>
    /// <param name="around">What stands around the choice.</param>
    /// <param name="variants">Each without what stands around it.</param>
    /// <param name="asList">Whether variants that are only types become a list of types.</param>
    /// <param name="orNull">Whether null may be chosen too.</param>
    public ToolType Choice(ToolType around, IReadOnlyList<ToolType> variants, bool asList, bool orNull = false)
    {
        ToolType[] others = [.. variants.Where(one => !one.IsNull)];
        orNull |= others.Length < variants.Count;
        if (others.Length == 0)
            return orNull && around.SaysNothing
                ? around with
                {
                    Words = ["null"],
                }
                : around with
                {
                    Nullable = around.Nullable || orNull,
                };

        ToolType[] adding = around.SaysNothing ? others : [.. others.Where(one => Adds(around, one))];
        ToolType chosen;
        if (adding.Length == 0)
            chosen = around;
        else if (adding.Length < others.Length)
            chosen = MaybeEach(around, adding);
        else if (adding is [var only])
            chosen = And(around, only);
        else if (asList && adding.All(one => one.IsBare) && around.Words.Count == 0)
        {
            bool anyNull = orNull || adding.Any(one => one.Nullable);
            chosen = Facts(
                around,
                new ToolType
                {
                    Words = [.. adding.SelectMany(one => one.Words).Concat(anyNull ? ["null"] : []).Distinct()],
                }
            );
        }
        else
            chosen = Product(around, OneOf(adding));
        return chosen with { Nullable = chosen.Nullable || orNull };
    }

    /// <summary>
    /// Whether <paramref name="b"/> names a type, a property or a value that <paramref name="a"/> does not.
    /// </summary>
    public bool Adds(ToolType a, ToolType b)
    {
        if (!budget.Step(1 + b.Properties.Count + Count(b.Literals)))
            return false;
        if (b.Variants is not null)
            return b.Variants.Any(one => Adds(a, one));
        if (a.Variants is not null)
            return a.Variants.All(one => Adds(one, b));
        return (a.Words.Count == 0 ? b.Words.Any(word => !IsImplied(a, word)) : b.Words.Except(a.Words).Any())
            || (b.Nullable && !a.Nullable)
            || b.Literals?.Except(a.Literals ?? []).Any() == true
            || b.Properties.Any(p => !a.Properties.TryGetValue(p.Key, out ToolType? own) || Adds(own, p.Value))
            || b.Indexes.Any(index => !a.Indexes.Any(own => IsSaid(own, index)))
            || (b.Items is { } items && (a.Items is null || Adds(a.Items, items)))
            || (
                b.Tuple is { } tuple
                && (
                    a.Tuple is null
                    || a.Tuple.Count < tuple.Count
                    || tuple.Zip(a.Tuple).Any(pair => Adds(pair.Second, pair.First))
                )
            );
    }

    private static bool IsImplied(ToolType a, string word) =>
        (word == "object" && a.HasMembers) || (word == "array" && a.HasItems);

    private bool IsSaid(ToolIndex own, ToolIndex index) =>
        own.Key == index.Key && own.Pattern == index.Pattern && !Adds(own.Value, index.Value);

    /// <summary>A choice of these, each but once, unless it says something else to people.</summary>
    public ToolType OneOf(IEnumerable<ToolType> variants)
    {
        var different = new List<ToolType>();
        foreach (ToolType one in variants.SelectMany(Flat))
        {
            bool isSeen =
                one.Description is null
                && one.Default is null
                && different.Count < MaximumCopies
                && different.Any(other => AreEqual(one, other))
                && budget.Step(0);
            if (!isSeen)
                different.Add(one);
        }
        return different is [var only] ? only : new ToolType { Variants = different };

        // Only types and lists of values are compared: what has members is seldom twice there.
        bool AreEqual(ToolType a, ToolType b) =>
            !a.HasMembers && !a.HasItems && !b.HasMembers && !b.HasItems && !Adds(a, b) && !Adds(b, a);
    }

    /// <summary>All that both say, their variants left aside.</summary>
    private ToolType Facts(ToolType a, ToolType b)
    {
        var properties = new OrderedDictionary<string, ToolType>(a.Properties);
        foreach ((string name, ToolType property) in b.Properties)
            properties[name] = properties.TryGetValue(name, out ToolType? own) ? And(own, property) : property;
        string[] common = [.. a.Words.Intersect(b.Words)];
        return Said(a, b) with
        {
            Words =
                a.Words.Count == 0 ? b.Words
                : b.Words.Count == 0 ? a.Words
                : common.Length > 0 ? common
                : [.. a.Words.Union(b.Words)],
            Nullable = a.Nullable || b.Nullable,
            Literals =
                a.Literals is null ? b.Literals
                : b.Literals is null ? a.Literals
                : [.. a.Literals.Union(b.Literals)],
            Properties = properties,
            Required =
                a.Required.Count == 0 ? b.Required
                : b.Required.Count == 0 ? a.Required
                : new HashSet<string>(a.Required.Union(b.Required)),
            Indexes = Union(a.Indexes, b.Indexes),
            Items =
                a.Items is null ? b.Items
                : b.Items is null ? a.Items
                : And(a.Items, b.Items),
            Tuple =
                a.Tuple is null ? b.Tuple
                : b.Tuple is null ? a.Tuple
                : Zip(a.Tuple, b.Tuple),
        };
    }

    private ToolType[] Zip(IReadOnlyList<ToolType> a, IReadOnlyList<ToolType> b) =>
        [.. a.Zip(b, And), .. a.Skip(b.Count), .. b.Skip(a.Count)];

    private ToolIndex[] Union(IReadOnlyList<ToolIndex> a, IReadOnlyList<ToolIndex> b) =>
        [.. a, .. b.Where(index => !a.Any(own => IsSaid(own, index)))];

    /// <summary>A choice among choices is one choice; what is said of the inner one is said of its variants.</summary>
    private static IEnumerable<ToolType> Flat(ToolType type)
    {
        if (type.Variants is not { } variants)
            return [type];
        IEnumerable<ToolType> described = variants.Select(one =>
            one with
            {
                Description = one.Description ?? type.Description,
            }
        );
        return type.Nullable ? described.SkipLast(1).Append(variants[^1] with { Nullable = true }) : described;
    }

    /// <summary>What both say to people.</summary>
    private static ToolType Said(ToolType a, ToolType b) =>
        new()
        {
            Title = a.Title ?? b.Title,
            Description = a.Description ?? b.Description,
            Default = a.Default ?? b.Default,
            Examples = a.Examples.Count > 0 ? a.Examples : b.Examples,
        };

    private static ToolType Annotated(ToolType type, ToolType by) =>
        type with
        {
            Title = by.Title,
            Description = by.Description,
            Default = by.Default,
            Examples = by.Examples,
        };

    private static bool IsObject(ToolType type) =>
        type.Variants is null && (type.Words is ["object"] || (type.Words.Count == 0 && type.HasMembers));

    private static int Count(IReadOnlyList<string>? list) => list?.Count ?? 0;
}
