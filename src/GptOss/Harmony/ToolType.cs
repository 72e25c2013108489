namespace GptOss.Harmony;

/// <summary>
/// A type of a tool's parameter, between the JSON schema it was read from and the TypeScript it is written as: the
/// kinds of values, their properties and items, and what is said about them to people.
/// </summary>
/// <remarks>
/// <see cref="SchemaReader"/> reads types, <see cref="ToolTypeAlgebra"/> combines them and <see cref="ToolTypeWriter"/>
/// writes them. A type may be a part of several others, so that its collections must not be changed once it is made.
/// Title, description, default and examples are its annotations.
/// </remarks>
internal sealed record ToolType
{
    private static readonly Dictionary<string, ToolType> NoProperties = [];
    private static readonly HashSet<string> NoNames = [];

    /// <summary>
    /// The kinds of values, each once: <c>string</c>, <c>number</c>, <c>boolean</c>, <c>object</c>, <c>array</c>,
    /// <c>null</c>; empty where the schema names none.
    /// </summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Whether null is allowed beside <see cref="Words"/> or <see cref="Variants"/>.</summary>
    public bool Nullable { get; init; }

    /// <summary>The only values allowed, as TypeScript writes them; null for no such list.</summary>
    public IReadOnlyList<string>? Literals { get; init; }

    /// <summary>The types of an object's properties, by name.</summary>
    public IReadOnlyDictionary<string, ToolType> Properties { get; init; } = NoProperties;

    /// <summary>The names out of <see cref="Properties"/> that must be there.</summary>
    public IReadOnlySet<string> Required { get; init; } = NoNames;

    /// <summary>The types of properties that are known by the form of their names and not by name.</summary>
    public IReadOnlyList<ToolIndex> Indexes { get; init; } = [];

    /// <summary>
    /// The type of an array's items, behind those of <see cref="Tuple"/>; null where the schema does not say.
    /// </summary>
    public ToolType? Items { get; init; }

    /// <summary>The types of an array's first items, in order; null where the schema does not say.</summary>
    public IReadOnlyList<ToolType>? Tuple { get; init; }

    /// <summary>
    /// The types of which a value has one; null for no choice. Each is complete by itself, and none has variants of its
    /// own.
    /// </summary>
    public IReadOnlyList<ToolType>? Variants { get; init; }

    /// <summary>A name for people; null for none.</summary>
    public string? Title { get; init; }

    /// <summary>What the value means; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>The default value as JSON on one line; null for none.</summary>
    public string? Default { get; init; }

    /// <summary>Examples of values, each as JSON on one line.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>
    /// Whether the schema is the name of a type and nothing more, so that several such can be written as a list:
    /// <c>string | number</c>.
    /// </summary>
    public bool IsBare { get; init; }

    /// <summary>The type of any value, of which a schema says nothing.</summary>
    public static ToolType Any { get; } = new();

    /// <summary>Whether null is the only value.</summary>
    public bool IsNull => Variants is null && Words is ["null"] && Literals is null && !HasMembers && !HasItems;

    /// <summary>Whether the type says which properties an object has.</summary>
    public bool HasMembers => Properties.Count > 0 || Indexes.Count > 0;

    /// <summary>Whether the type says which items an array has.</summary>
    public bool HasItems => Items is not null || Tuple is not null;

    /// <summary>Whether the type allows any value; it may have annotations.</summary>
    public bool SaysNothing =>
        Words.Count == 0 && !Nullable && Literals is null && !HasMembers && !HasItems && Variants is null;

    /// <summary>The types within this one: of properties, items and variants.</summary>
    public IEnumerable<ToolType> Parts =>
        [
            .. Properties.Values,
            .. Indexes.Select(index => index.Value),
            .. Items is { } items ? [items] : (ToolType[])[],
            .. Tuple ?? [],
            .. Variants ?? [],
        ];

    /// <summary>Whether the type is an object and nothing else.</summary>
    public bool IsObject => Variants is null && (Words is ["object"] || (Words.Count == 0 && HasMembers));

    /// <summary>The same type without its annotations.</summary>
    public ToolType Bare => this with { Title = null, Description = null, Default = null, Examples = [] };

    /// <summary>The same type with the annotations of another.</summary>
    public ToolType AnnotatedAs(ToolType other) =>
        this with
        {
            Title = other.Title,
            Description = other.Description,
            Default = other.Default,
            Examples = other.Examples,
        };
}

/// <summary>
/// Properties that are known by the form of their names, as in a dictionary: <c>[key: string]: number</c>.
/// </summary>
/// <param name="Key">The type of the names, as TypeScript writes it.</param>
/// <param name="Pattern">A pattern that the names match, as JSON; null for none.</param>
/// <param name="Value">The type of the properties' values.</param>
internal sealed record ToolIndex(string Key, string? Pattern, ToolType Value);
