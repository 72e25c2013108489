using GptOss.Constraints.Regular;

namespace GptOss.Constraints;

/// <summary>
/// A part of a grammar that others refer to: its alternatives, each a shape. Rules may refer to each other in circles,
/// so the alternatives are filled in after the rule is made, and do not change once the grammar is in use.
/// </summary>
/// <param name="name">For messages: the JSON pointer of a schema, the name of a rule of GBNF.</param>
internal sealed class Rule(string name)
{
    /// <summary>For messages: the JSON pointer of a schema, the name of a rule of GBNF.</summary>
    public string Name { get; } = name;

    /// <summary>What the rule stands for is one of these; none where nothing fits.</summary>
    public List<Shape> Alternatives { get; } = [];

    /// <summary>
    /// The fewest levels of objects and arrays that a text of this rule has: 0 where a scalar fits, 1 for <c>[]</c>.
    /// A rule is entered at depth d only where d + its height is at most <see cref="MostDepth"/>.
    /// </summary>
    public int Height { get; set; }

    /// <summary>The most levels of objects and arrays of an answer: what System.Text.Json reads by default.</summary>
    public const int MostDepth = 64;
}

/// <summary>One form that a text can have. Shapes are data; the machine walks them byte by byte.</summary>
internal abstract record Shape;

/// <summary>
/// A text of a regular language: a number, a literal, a string with a pattern, an answer by a regular expression.
/// </summary>
/// <remarks>
/// A quoted text is a JSON string of which <see cref="Language"/> describes the value, in one spelling for each value:
/// raw characters, <c>\"</c>, <c>\\</c>, <c>\b \f \n \r \t</c>, and <c>\u00xx</c> in lower case for the other
/// characters below U+0020. What System.Text.Json's relaxed encoder escapes may also be written as it does:
/// <c>\u00A0</c>, <c>\uD83D\uDE00</c>. A text that is not quoted stands as it is.
/// </remarks>
/// <param name="Language">The values, over code points; at least one state.</param>
/// <param name="IsQuoted">Whether the text is a JSON string.</param>
/// <param name="MinLength">The fewest code points of the value.</param>
/// <param name="MaxLength">The most code points of the value; null where the language alone decides.</param>
internal sealed record TextShape(CodePointDfa Language, bool IsQuoted, int MinLength = 0, int? MaxLength = null)
    : Shape;

/// <summary>
/// Any JSON string, or any within bounds of length, with every escape of RFC 8259: <c>\uD8xx</c> only with its
/// partner, which together count as one character. Where the most is 1, no character beyond U+FFFF.
/// </summary>
/// <param name="MinLength">The fewest code points of the value.</param>
/// <param name="MaxLength">The most code points of the value; null for no bound.</param>
internal sealed record FreeStringShape(int MinLength = 0, int? MaxLength = null) : Shape;

/// <summary>A JSON object. No name comes twice, and none that is neither declared nor in the extras.</summary>
internal sealed record ObjectShape : Shape
{
    /// <summary>The declared names, in the order of the schema; those that are forbidden among them.</summary>
    public required IReadOnlyList<Property> Properties { get; init; }

    /// <summary>
    /// Names beside the declared ones, by disjoint languages, each with the rule of its values. None where the object
    /// is closed. A declared name is never an extra one, even where a language holds it.
    /// </summary>
    public IReadOnlyList<ExtraProperties> Extras { get; init; } = [];

    /// <summary>Whether declared names come in any order, extra ones between; else in order, extras behind.</summary>
    public bool IsAnyOrder { get; init; }

    /// <summary>The fewest properties, declared and extra together.</summary>
    public int MinProperties { get; init; }

    /// <summary>The most properties, declared and extra together; null for no bound.</summary>
    public int? MaxProperties { get; init; }

    /// <summary>
    /// Pairs of indices into <see cref="Properties"/>: where the first is there, the second has to be. What is
    /// required by an extra name is not expressed by shapes: the name is declared, with the rule of the extras.
    /// </summary>
    public IReadOnlyList<(int If, int Then)> DependentRequired { get; init; } = [];

    /// <summary>The fewest extra properties of the languages marked as <see cref="ExtraProperties.Counts"/>.</summary>
    public int MinCounted { get; init; }
}

/// <summary>A declared property of an object.</summary>
/// <param name="Name">The name as a value, without quotes or escapes.</param>
/// <param name="Value">The rule of its value; null where the property cannot come.</param>
/// <param name="IsRequired">Whether the object has to have it.</param>
internal sealed record Property(string Name, Rule? Value, bool IsRequired);

/// <summary>Undeclared properties of an object whose names belong to one language.</summary>
/// <param name="Names">The language of the names.</param>
/// <param name="Values">
/// The rules of the values, one of which fits; more than one only where they are told apart by
/// <see cref="ObjectShape.MinCounted"/>.
/// </param>
/// <param name="Counts">Whether such a property counts for <see cref="ObjectShape.MinCounted"/>.</param>
internal sealed record ExtraProperties(CodePointDfa Names, Rule Values, bool Counts = false);

/// <summary>A JSON array of items by position.</summary>
internal sealed record ArrayShape : Shape
{
    /// <summary>The rules of the first items, by position. Each list holds the alternatives of that place.</summary>
    public required IReadOnlyList<IReadOnlyList<Item>> Prefix { get; init; }

    /// <summary>The alternatives of every item behind the prefix; none where the array ends with it.</summary>
    public required IReadOnlyList<Item> Rest { get; init; }

    /// <summary>The fewest items it has.</summary>
    public int MinItems { get; init; }

    /// <summary>The most items; null for no bound.</summary>
    public int? MaxItems { get; init; }

    /// <summary>
    /// Whether no two items may have the same value. All items are then scalars whose spellings tell the values apart:
    /// <see cref="TextShape"/> alone.
    /// </summary>
    public bool IsUnique { get; init; }

    /// <summary>How often items have to count, by the number of the bit of <see cref="Item.Counts"/>.</summary>
    public IReadOnlyList<(int Min, int? Max)> Contains { get; init; } = [];
}

/// <summary>One alternative of an item of an array.</summary>
/// <param name="Value">The rule of the item.</param>
/// <param name="Counts">Bit n is set where such an item counts for <c>Contains[n]</c> of the array.</param>
internal sealed record Item(Rule Value, uint Counts = 0);

/// <summary>
/// A net of states with edges over code points and markers, and calls of rules: a rule of GBNF, the turn of Harmony.
/// State 0 is the start.
/// </summary>
internal sealed record NetShape(IReadOnlyList<NetState> States) : Shape;

/// <summary>One state of a net.</summary>
internal sealed class NetState
{
    /// <summary>Edges over code points 0 to 0x10FFFF without surrogates, or over markers; they may overlap.</summary>
    public List<NetEdge> Edges { get; } = [];

    /// <summary>States that are reached without reading anything.</summary>
    public List<int> Empty { get; } = [];

    /// <summary>Rules that are read here, each with the state behind it.</summary>
    public List<(Rule Rule, int Target)> Calls { get; } = [];

    /// <summary>Whether the net may end here.</summary>
    public bool IsAccepting { get; set; }

    /// <summary>
    /// Whether every byte leads back here, well-formed UTF-8 or not: free text, which ends by a marker only.
    /// </summary>
    public bool IsFree { get; set; }
}

/// <summary>An edge of a net: code points or markers from the first to the last lead to the target.</summary>
internal readonly record struct NetEdge(int First, int Last, int Target);

/// <summary>
/// Harmony's markers as symbols behind the last code point. They are never bytes: text that spells a marker is text.
/// </summary>
internal static class Markers
{
    /// <summary>The symbol of the first marker; the others follow. A vocabulary says which token is which.</summary>
    public const int First = 0x110000;

    /// <summary>The most markers of a grammar.</summary>
    public const int Most = 16;
}
