using GptOss.Constraints.Regular;
using GptOss.Constraints.Walkers;

namespace GptOss.Constraints.Schemas;

/// <summary>The strings that an alternative allows.</summary>
/// <param name="languages">Combines patterns and formats.</param>
/// <param name="budget">Pays for looking at lengths.</param>
internal sealed class StringShapes(LanguageCache languages, CompileBudget budget)
{
    /// <summary>The shape of the strings of an alternative; null where there is none.</summary>
    public Shape? Of(SchemaAlternative alternative)
    {
        (int min, int? max) = alternative.Size(JsonTypes.String);
        if (min > max)
            return null;
        if (Language(alternative) is not CodePointDfa language)
            return new FreeStringShape(min, max);
        if (language.IsEmpty)
            return null;
        bool areLengthsImplied =
            language.Measures.Shortest(CodePointDfa.Start) >= min
            && language.Measures.Longest(CodePointDfa.Start) <= (max ?? DfaMeasures.Endless);
        return areLengthsImplied ? new TextShape(language, IsQuoted: true)
            : HasLength(language, min, max) ? new TextShape(language, IsQuoted: true, min, max)
            : null;
    }

    private bool HasLength(CodePointDfa language, int min, int? max) =>
        new TextLengths(language, min, max, budget).IsAlive(CodePointDfa.Start, 0);

    /// <summary>The strings of an alternative as one language, for names and for items that differ.</summary>
    public CodePointDfa LanguageOf(SchemaAlternative alternative)
    {
        (int min, int? max) = alternative.Size(JsonTypes.String);
        return min > max
            ? CodePointDfa.Nothing
            : languages.OfLength(Language(alternative) ?? CodePointDfa.AnyText, min, max);
    }

    // Null where patterns, formats and exclusions say nothing.
    private CodePointDfa? Language(SchemaAlternative alternative)
    {
        CodePointDfa? language = null;
        foreach (LanguageKeyword keyword in alternative.Of<LanguageKeyword>())
            language = language is null ? keyword.Language : languages.And(language, keyword.Language);
        string[] excluded =
        [
            .. alternative
                .Of<ExcludedKeyword>()
                .SelectMany(keyword => keyword.Values)
                .Where(value => value.Type == JsonTypes.String)
                .Select(value => value.Text),
        ];
        return excluded.Length == 0
            ? language
            : languages.Minus(language ?? CodePointDfa.AnyText, CodePointDfa.Of(excluded));
    }
}
