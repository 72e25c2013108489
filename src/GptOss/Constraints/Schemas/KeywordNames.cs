using System.Collections.Frozen;

namespace GptOss.Constraints.Schemas;

/// <summary>The names that a schema may hold, and what is done with the others.</summary>
internal static class KeywordNames
{
    private static readonly FrozenSet<string> Keywords = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            .. (string[])["type", "nullable", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", "not"],
            .. (string[])["if", "then", "else"],
            .. (string[])["properties", "patternProperties", "additionalProperties", "unevaluatedProperties"],
            .. (string[])["required", "propertyNames", "minProperties", "maxProperties"],
            .. (string[])["dependentRequired", "dependentSchemas", "dependencies"],
            .. (string[])["items", "prefixItems", "additionalItems", "unevaluatedItems", "minItems", "maxItems"],
            .. (string[])["uniqueItems", "contains", "minContains", "maxContains"],
            .. (string[])["minLength", "maxLength", "pattern", "format", "contentEncoding"],
            .. (string[])["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
        ]
    );

    private static readonly FrozenSet<string> Annotations = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            .. (string[])["$schema", "$id", "id", "$comment", "$anchor", "$dynamicAnchor", "$recursiveAnchor"],
            .. (string[])["$defs", "definitions", "$vocabulary", "$dynamicRef", "$recursiveRef"],
            .. (string[])["title", "description", "default", "examples", "example", "deprecated", "readOnly"],
            .. (string[])["writeOnly", "contentMediaType", "contentSchema", "discriminator", "externalDocs", "xml"],
        ]
    );

    // By length, since a slip changes it by one at most.
    private static readonly FrozenDictionary<int, string[]> ByLength = Keywords
        .GroupBy(name => name.Length)
        .ToFrozenDictionary(group => group.Key, group => group.Order(StringComparer.Ordinal).ToArray());

    /// <summary>Whether a name is a keyword or an annotation.</summary>
    public static bool IsKnown(string name) => Keywords.Contains(name) || Annotations.Contains(name);

    /// <summary>
    /// The keyword that an unknown name was probably meant to be: one that values are held to and that is a single slip
    /// of the pen away. Null for known names, and for those that begin with <c>x-</c> or with a sign, as people write
    /// to put a keyword out of force (<c>_format</c>).
    /// </summary>
    public static string? MeantBy(string name)
    {
        if (IsKnown(name) || name is ['x', '-', ..] or [])
            return null;
        if (!char.IsAsciiLetter(name[0]))
            return null;
        for (int length = name.Length - 1; length <= name.Length + 1; length++)
            foreach (string keyword in ByLength.GetValueOrDefault(length, []))
                if (IsOneSlip(name, keyword))
                    return keyword;
        return null;
    }

    /// <summary>
    /// Whether one letter is wrong, missing or too many, or two neighbours are exchanged. Keywords of three letters or
    /// fewer are a slip away from many words ("note" from "not"), so that only exchanged letters and capitals count
    /// there.
    /// </summary>
    private static bool IsOneSlip(string name, string keyword)
    {
        int same = name.AsSpan().CommonPrefixLength(keyword);
        ReadOnlySpan<char> left = name.AsSpan(same),
            right = keyword.AsSpan(same);
        if (left.Length == right.Length && left.Length >= 2 && left[0] == right[1] && left[1] == right[0])
            return left[2..].SequenceEqual(right[2..]);
        if (keyword.Length <= 3)
            return name.Equals(keyword, StringComparison.OrdinalIgnoreCase);
        return left.Length == right.Length ? left[1..].SequenceEqual(right[1..])
            : left.Length > right.Length ? left[1..].SequenceEqual(right)
            : left.SequenceEqual(right[1..]);
    }
}
