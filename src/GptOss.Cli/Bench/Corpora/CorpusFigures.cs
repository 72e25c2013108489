namespace GptOss.Cli.Bench.Corpora;

/// <summary>What <c>gptoss bench constraints</c> found.</summary>
internal sealed record ConstraintsResult
{
    /// <summary>Tokens of the vocabulary, which is o200k_harmony.</summary>
    public required int VocabularyTokens { get; init; }

    /// <summary>How long it took to make of the vocabulary what all masks are made from, once.</summary>
    public required double VocabularyMs { get; init; }

    /// <summary>The figures of each file of the corpus.</summary>
    public required IReadOnlyList<CorpusFigures> Corpora { get; init; }
}

/// <summary>The figures of one file of schemas.</summary>
internal sealed record CorpusFigures
{
    public required string Corpus { get; init; }
    public required int Schemas { get; init; }

    /// <summary>Schemas that were not compiled, those that must not be compiled among them.</summary>
    public required int Refused { get; init; }

    /// <summary>Schemas that must not be compiled, and were not.</summary>
    public required int RefusedAsExpected { get; init; }

    /// <summary>The keywords that were refused, the most frequent first.</summary>
    public required IReadOnlyList<Refusals> RefusedBy { get; init; }

    /// <summary>Texts with a verdict, of the schemas that were compiled.</summary>
    public required int Verdicts { get; init; }

    /// <summary>
    /// The schema and the text of each verdict that the engine does not share, and schemas that had to be refused.
    /// </summary>
    public required IReadOnlyList<string> Wrong { get; init; }

    /// <summary>Microseconds for the mask before a token of a valid text.</summary>
    public required Spread MasksUs { get; init; }

    /// <summary>Of these, masks that were worked out.</summary>
    public required Spread FirstVisitsUs { get; init; }

    /// <summary>Of these, masks that were kept from an earlier visit.</summary>
    public required Spread VisitedUs { get; init; }

    /// <summary>Milliseconds from a parsed schema to its machine.</summary>
    public required Spread CompileMs { get; init; }

    /// <summary>Bytes that a schema's machine, rows and masks take behind all of its texts.</summary>
    public required Spread KeptBytes { get; init; }

    /// <summary>The share of the tokens that only could follow, and so cost no pass of a model.</summary>
    public required double ForcedShare { get; init; }
}

/// <summary>How often a keyword was the reason to refuse a schema.</summary>
/// <param name="Keyword">The keyword; null where no single one is the reason, as with a limit.</param>
/// <param name="Count">Schemas refused for it.</param>
internal sealed record Refusals(string? Keyword, int Count);
