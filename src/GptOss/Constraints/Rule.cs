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
