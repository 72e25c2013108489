namespace GptOss.Constraints.Regular;

/// <summary>A part of a pattern, as its text has it.</summary>
internal abstract record RegexNode
{
    /// <summary>One code point of a set.</summary>
    public sealed record Read(CodePointSet Set) : RegexNode;

    /// <summary>One part behind the other; none is the empty text.</summary>
    public sealed record Series(IReadOnlyList<RegexNode> Parts) : RegexNode;

    /// <summary>One of several branches.</summary>
    public sealed record Choice(IReadOnlyList<RegexNode> Branches) : RegexNode;

    /// <summary>A part several times; null for as often as wanted.</summary>
    public sealed record Repeat(RegexNode Body, int Min, int? Max) : RegexNode;

    /// <summary>Holds at the start of the text: <c>^</c>.</summary>
    public sealed record AtStart : RegexNode;

    /// <summary>Holds at the end of the text: <c>$</c>.</summary>
    public sealed record AtEnd : RegexNode;

    /// <summary>Holds at the start of the text if a guard of the pattern does.</summary>
    public sealed record Guarded(int Guard) : RegexNode;
}

/// <summary>A pattern and what its look-aheads ask of the whole text.</summary>
/// <param name="Root">The pattern, in which the look-aheads are numbered guards.</param>
/// <param name="Guards">Look-aheads that stand behind one another, all of which have to hold.</param>
internal sealed record RegexPattern(RegexNode Root, IReadOnlyList<IReadOnlyList<LookAhead>> Guards);

/// <summary>What the text has to begin with, or must not.</summary>
/// <param name="Pattern">How the text begins.</param>
/// <param name="IsNegative">Whether the text must not begin so.</param>
internal sealed record LookAhead(RegexPattern Pattern, bool IsNegative);
