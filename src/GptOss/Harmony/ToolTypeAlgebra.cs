namespace GptOss.Harmony;

/// <summary>
/// Combines types of a tool's parameters as the keywords of a JSON schema do: a value that is both, one of several, or
/// one and perhaps also another.
/// </summary>
/// <remarks>
/// The combined type names every property and every value that its parts name, even if no value could have them all,
/// since the model must know the words. In all else it is as narrow as its parts allow.
/// </remarks>
/// <param name="budget">Counts the members that are merged. When it is spent, a type stays as it is.</param>
/// <param name="comparer">Tells whether a type adds anything to another.</param>
internal sealed class ToolTypeAlgebra(SchemaBudget budget, ToolTypeComparer comparer)
{
    // Keywords beside a choice are copied into each variant as long as this repeats no more types than 200.
    private const int MaximumCopies = 200;

    // Up to eight types are combined one by one, in their order; more are combined by halves.
    private const int FewParts = 8;

    /// <summary>
    /// The type of a value that is <paramref name="a"/> and <paramref name="b"/> at once. Where both have an
    /// annotation, that of <paramref name="a"/> counts.
    /// </summary>
    public ToolType And(ToolType a, ToolType b)
    {
        if (!budget.Step(1 + Copied(a) + Copied(b)) || !budget.Step(Compared(a, b)))
            return a.SaysNothing ? b : a;
        if (a.Variants is { } variants)
        {
            if (b.Variants is null)
                return Choice(b.Bare, variants, asList: false, a.Nullable).AnnotatedAs(Said(a, b));
            return Product(a, b);
        }
        return b.Variants is null
            ? Facts(a, b)
            : Choice(a.Bare, b.Variants, asList: false, b.Nullable).AnnotatedAs(Said(a, b));
    }

    /// <summary>
    /// A choice of every variant of <paramref name="a"/> combined with every variant of <paramref name="b"/>. Where
    /// that would repeat more than 200 types, <paramref name="a"/> and perhaps also one of <paramref name="b"/>.
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
        return OneOf(from one in ones from other in others select Facts(one, other)).AnnotatedAs(Said(a, b)) with
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

    /// <summary>
    /// The type of a value that is <paramref name="a"/> and perhaps also <paramref name="b"/>: the properties of
    /// <paramref name="b"/> become optional ones.
    /// </summary>
    public ToolType Maybe(ToolType a, ToolType b)
    {
        if (!budget.Step(1 + b.Properties.Count + Count(a.Literals) + Compared(a, b)) || !comparer.Adds(a, b))
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
            && (a.IsObject || (a.SaysNothing && b.IsObject))
            && (b.IsObject || b.Words.Count == 0);
        if (!areObjects)
        {
            int left = MaximumCopies;
            CountCopies(a, 1, ref left);
            return OneOf([a.Bare, left < 0 ? b : Facts(a.Bare, b)]).AnnotatedAs(a) with { Nullable = a.Nullable };
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

    /// <summary>
    /// The type of a value that is <paramref name="a"/> and perhaps also any of <paramref name="others"/>.
    /// </summary>
    /// <remarks>
    /// Many objects are combined by halves first. One by one, the properties gathered so far would be copied for each
    /// of them: 1,000 objects would take 500,000 copies instead of 10,000.
    /// </remarks>
    public ToolType MaybeEach(ToolType a, IReadOnlyList<ToolType> others)
    {
        ToolType[] objects =
            others.Count > FewParts
                ? [.. others.Where(one => one.IsObject && one.Literals is null && !one.HasItems)]
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

    /// <summary>
    /// The type of a value that is <paramref name="around"/> and at the same time one of <paramref name="variants"/>.
    /// </summary>
    /// <param name="around">The type that the keywords beside the choice describe.</param>
    /// <param name="variants">The variants without the keywords beside the choice.</param>
    /// <param name="asList">Whether variants that are only names of types become a list, as in
    /// <c>string | number</c>.</param>
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

        ToolType[] adding = around.SaysNothing ? others : [.. others.Where(one => comparer.Adds(around, one))];
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
    /// A choice of these types. One that repeats another is left out, unless it has a description or a default of its
    /// own.
    /// </summary>
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

        // Objects and arrays are not compared: they seldom stand twice in a choice, and comparing them takes long.
        bool AreEqual(ToolType a, ToolType b) =>
            !a.HasMembers
            && !a.HasItems
            && !b.HasMembers
            && !b.HasItems
            && !comparer.Adds(a, b)
            && !comparer.Adds(b, a);
    }

    /// <summary>The two types combined, without their variants.</summary>
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
        [.. a, .. b.Where(index => !a.Any(own => comparer.IsSaid(own, index)))];

    /// <summary>
    /// The variants of a choice, or the type itself if it is none. The description of the choice becomes that of
    /// variants without one.
    /// </summary>
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

    /// <summary>The annotations of both types, those of <paramref name="a"/> first.</summary>
    private static ToolType Said(ToolType a, ToolType b) =>
        new()
        {
            Title = a.Title ?? b.Title,
            Description = a.Description ?? b.Description,
            Default = a.Default ?? b.Default,
            Examples = a.Examples.Count > 0 ? a.Examples : b.Examples,
        };

    // What is copied of a type that is combined with another.
    private static int Copied(ToolType type) =>
        type.Properties.Count + Count(type.Literals) + Count(type.Tuple) + type.Indexes.Count;

    // Each form of names of one type is compared with each of the other.
    private static int Compared(ToolType a, ToolType b) =>
        (int)Math.Min(int.MaxValue / 2, (long)a.Indexes.Count * b.Indexes.Count);

    private static int Count<T>(IReadOnlyList<T>? list) => list?.Count ?? 0;
}
