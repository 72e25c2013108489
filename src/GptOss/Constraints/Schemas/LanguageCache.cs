using System.Globalization;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// Combinations of regular languages, each computed once in a compilation: the same two patterns meet in many rules.
/// </summary>
/// <param name="budget">Pays for the combinations.</param>
internal sealed class LanguageCache(CompileBudget budget)
{
    private readonly Dictionary<(CodePointDfa, CodePointDfa, bool IsMinus), CodePointDfa> _combined = [];

    /// <summary>The texts that belong to both languages.</summary>
    public CodePointDfa And(CodePointDfa left, CodePointDfa right) =>
        ReferenceEquals(left, right) || ReferenceEquals(right, CodePointDfa.AnyText) ? left
        : ReferenceEquals(left, CodePointDfa.AnyText) ? right
        : Combined(left, right, isMinus: false);

    /// <summary>The texts of the first language that do not belong to the second one.</summary>
    public CodePointDfa Minus(CodePointDfa left, CodePointDfa right) =>
        ReferenceEquals(left, right) ? CodePointDfa.Nothing : Combined(left, right, isMinus: true);

    /// <summary>The texts of either language.</summary>
    public CodePointDfa Or(CodePointDfa left, CodePointDfa right) =>
        left.IsEmpty ? right
        : right.IsEmpty || ReferenceEquals(left, right) ? left
        : left.Or(right, budget);

    /// <summary>The texts of any of some languages. Equals are joined first, so that none grows early.</summary>
    public CodePointDfa Or(IReadOnlyList<CodePointDfa> all)
    {
        while (all.Count > 1)
            all = [.. all.Chunk(2).Select(pair => pair.Length == 2 ? Or(pair[0], pair[1]) : pair[0])];
        return all.Count == 0 ? CodePointDfa.Nothing : all[0];
    }

    /// <summary>The texts of a language whose number of code points lies between bounds.</summary>
    public CodePointDfa OfLength(CodePointDfa language, int min, int? max)
    {
        if (min == 0 && max is null)
            return language;
        string most = max?.ToString(CultureInfo.InvariantCulture) ?? "";
        return And(language, Patterns.Whole($"[\\s\\S]{{{min},{most}}}", budget));
    }

    private CodePointDfa Combined(CodePointDfa left, CodePointDfa right, bool isMinus)
    {
        if (!_combined.TryGetValue((left, right, isMinus), out CodePointDfa? combined))
            _combined[(left, right, isMinus)] = combined = isMinus
                ? left.Minus(right, budget)
                : left.And(right, budget);
        return combined;
    }
}
