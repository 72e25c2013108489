using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>What one schema asks of a property, by its name.</summary>
internal static class PropertyGoals
{
    /// <summary>The goals for the value of a property of a certain name.</summary>
    public static IEnumerable<Goal> Of(ObjectKeyword keyword, string name) =>
        Of(keyword, name, names => names.Accepts(name));

    /// <summary>The goals for the values of undeclared properties whose names belong to certain patterns.</summary>
    public static IEnumerable<Goal> Of(ObjectKeyword keyword, Func<CodePointDfa, bool> isOf) =>
        Of(keyword, name: null, isOf);

    /// <summary>Whether a schema looks at a property of its own accord, so that it is evaluated.</summary>
    public static bool Looks(ObjectKeyword keyword, string? name, Func<CodePointDfa, bool> isOf) =>
        keyword.Additional is not null || IsNamed(keyword, name, isOf);

    private static IEnumerable<Goal> Of(ObjectKeyword keyword, string? name, Func<CodePointDfa, bool> isOf)
    {
        if (name is not null && keyword[name] is Goal property)
            yield return property;
        foreach ((CodePointDfa names, Goal value) in keyword.Patterns)
            if (isOf(names))
                yield return value;
        if (keyword.Additional is Goal additional && !IsNamed(keyword, name, isOf))
            yield return additional;
    }

    private static bool IsNamed(ObjectKeyword keyword, string? name, Func<CodePointDfa, bool> isOf) =>
        (name is not null && keyword[name] is not null) || keyword.Patterns.Any(pattern => isOf(pattern.Names));
}
