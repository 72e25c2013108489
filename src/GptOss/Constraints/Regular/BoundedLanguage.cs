namespace GptOss.Constraints.Regular;

/// <summary>The texts of a language whose length lies between two bounds.</summary>
/// <param name="Language">A language of texts of any length.</param>
/// <param name="MinLength">The fewest code points.</param>
/// <param name="MaxLength">The most code points; null for no bound.</param>
internal sealed record BoundedLanguage(CodePointDfa Language, int MinLength = 0, int? MaxLength = null);
