using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Gbnf;

/// <summary>
/// A rule of a grammar as it was read. Its body is a pattern over code points and the symbols of other rules.
/// </summary>
/// <param name="name">The name of the rule.</param>
/// <param name="position">Where the rule was first named in the grammar.</param>
internal sealed class GbnfRule(string name, int position)
{
    private const int FirstSymbol = 0x200000;

    /// <summary>The name of the rule.</summary>
    public string Name { get; } = name;

    /// <summary>Where the rule was first named, and once it is defined, where that is.</summary>
    public int Position { get; set; } = position;

    /// <summary>What the rule stands for; null as long as it is not defined.</summary>
    public RegexNode? Body { get; set; }

    /// <summary>
    /// The symbol of a rule by its number, behind all code points. Two symbols are never neighbours, so no edge of an
    /// automaton reads more than one.
    /// </summary>
    public static int Symbol(int number) => FirstSymbol + 2 * number;

    /// <summary>The number of the rule whose symbol an edge reads; null for code points.</summary>
    public static int? Called(DfaEdge edge) => edge.First < FirstSymbol ? null : (edge.First - FirstSymbol) / 2;
}
