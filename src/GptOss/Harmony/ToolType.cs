namespace GptOss.Harmony;

/// <summary>What a JSON schema says of a value, in the words that a TypeScript type has.</summary>
/// <remarks>
/// <see cref="SchemaReader"/> makes these, <see cref="ToolTypeAlgebra"/> puts several together and
/// <see cref="ToolTypeWriter"/> writes them. An instance may be shared once it is made: change only your own.
/// </remarks>
internal sealed record ToolType
{
    private static readonly Dictionary<string, ToolType> NoProperties = [];
    private static readonly HashSet<string> NoNames = [];

    /// <summary>
    /// <c>string</c>, <c>number</c>, <c>boolean</c>, <c>object</c>, <c>array</c>, <c>null</c>, each once; empty where
    /// the schema names no type.
    /// </summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Whether null is allowed beside what <see cref="Words"/> or <see cref="Variants"/> say.</summary>
    public bool Nullable { get; init; }

    /// <summary>The only values allowed, as TypeScript writes them; null for no such list.</summary>
    public IReadOnlyList<string>? Literals { get; init; }

    public IReadOnlyDictionary<string, ToolType> Properties { get; init; } = NoProperties;

    /// <summary>Names out of <see cref="Properties"/>.</summary>
    public IReadOnlySet<string> Required { get; init; } = NoNames;

    /// <summary>What properties hold that are not declared by their names.</summary>
    public IReadOnlyList<ToolIndex> Indexes { get; init; } = [];

    /// <summary>
    /// What each item of an array is, behind those of <see cref="Tuple"/>; null where nothing is said.
    /// </summary>
    public ToolType? Items { get; init; }

    /// <summary>What the first items of an array are; null where nothing is said.</summary>
    public IReadOnlyList<ToolType>? Tuple { get; init; }

    /// <summary>
    /// One of these, each with all that stands around it; null for no choice. None has variants of its own.
    /// </summary>
    public IReadOnlyList<ToolType>? Variants { get; init; }

    public string? Title { get; init; }

    public string? Description { get; init; }

    /// <summary>JSON on one line; null for none.</summary>
    public string? Default { get; init; }

    /// <summary>JSON, one a line.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>Whether the schema is a type and nothing more, so that a list of types can say it.</summary>
    public bool IsBare { get; init; }

    /// <summary>Nothing is said.</summary>
    public static ToolType Any { get; } = new();

    public bool IsNull => Variants is null && Words is ["null"] && Literals is null && !HasMembers && !HasItems;

    /// <summary>Whether it says what properties an object has.</summary>
    public bool HasMembers => Properties.Count > 0 || Indexes.Count > 0;

    public bool HasItems => Items is not null || Tuple is not null;

    /// <summary>Whether it says anything about the value, be it only its type.</summary>
    public bool SaysNothing =>
        Words.Count == 0 && !Nullable && Literals is null && !HasMembers && !HasItems && Variants is null;

    /// <summary>The types that it is made of.</summary>
    public IEnumerable<ToolType> Parts =>
        [
            .. Properties.Values,
            .. Indexes.Select(index => index.Value),
            .. Items is { } items ? [items] : (ToolType[])[],
            .. Tuple ?? [],
            .. Variants ?? [],
        ];

    /// <summary>The same without what is said to people.</summary>
    public ToolType Bare => this with { Title = null, Description = null, Default = null, Examples = [] };
}

/// <summary>Properties that are known by the form of their names: <c>[key: string]: number</c>.</summary>
/// <param name="Key">The type of the names, as TypeScript writes it.</param>
/// <param name="Pattern">A pattern that the names match, as JSON; null for none.</param>
/// <param name="Value">What they hold.</param>
internal sealed record ToolIndex(string Key, string? Pattern, ToolType Value);
