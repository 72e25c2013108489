namespace GptOss.Constraints.Schemas;

/// <summary>What can be wrong with a schema, in words that name the place and what to do.</summary>
internal static class SchemaErrors
{
    /// <summary>A keyword's value is not what it has to be.</summary>
    public static SchemaException Wrong(string pointer, string expected) => At(pointer, $"should be {expected}");

    /// <summary>A name that is one slip of the pen from a keyword.</summary>
    public static SchemaException Slip(string pointer, string keyword) =>
        At(
            pointer,
            $"is no keyword; did you mean '{keyword}'? A name of your own may begin with 'x-'",
            LastName(pointer)
        );

    /// <summary>Something is larger than a limit.</summary>
    public static SchemaException Limit(string pointer, string what) => At(pointer, what);

    /// <summary>No value can fit the schema.</summary>
    /// <param name="pointer">The nearest schema without a value.</param>
    /// <param name="why">What stands against every value; null where that is not known.</param>
    /// <param name="keyword">The keyword that cannot be met, where it is a single one.</param>
    public static SchemaException NoValue(string pointer, string? why, string? keyword) =>
        new($"{Schema(pointer)} allows no value{(why is null ? "" : ": " + why)}.", pointer, keyword);

    /// <summary>A schema as a whole is larger than a limit.</summary>
    public static SchemaException Large(string pointer, string what) => new($"{Schema(pointer)} {what}.", pointer);

    /// <summary>An error at a keyword, or at a part of its value.</summary>
    /// <param name="pointer">JSON pointer to the keyword, or to what stands in its value.</param>
    /// <param name="what">Goes on from the last name of the pointer.</param>
    /// <param name="keyword">The keyword; null for the last one of the pointer.</param>
    public static SchemaException At(string pointer, string what, string? keyword = null) =>
        pointer.Length == 0
            ? new($"The schema {what}.")
            : new($"{pointer}: '{LastName(pointer)}' {what}.", pointer, keyword ?? KeywordIn(pointer));

    private static string Schema(string pointer) => pointer.Length == 0 ? "The schema" : $"{pointer}: the schema";

    private static string LastName(string pointer) => SchemaPlace.Unescape(pointer[(pointer.LastIndexOf('/') + 1)..]);

    // What stands behind the keyword are names of properties, patterns and places in lists.
    private static string KeywordIn(string pointer)
    {
        string? keyword = pointer.Split('/').LastOrDefault(KeywordNames.IsKnown);
        return keyword ?? LastName(pointer);
    }
}

/// <summary>
/// A keyword is known, but cannot be held to where it stands. The caller may ask for it to be left out.
/// </summary>
/// <param name="pointer">JSON pointer to the keyword.</param>
/// <param name="what">Goes on from the keyword's name: <c>over 'format' is not supported</c>.</param>
internal sealed class UnsupportedException(string pointer, string what) : Exception(what)
{
    /// <summary>JSON pointer to the keyword.</summary>
    public string Pointer { get; } = pointer;

    /// <summary>The error for the caller, with the way on.</summary>
    public SchemaException ForCaller() =>
        SchemaErrors.At(Pointer, $"{Message}; leave it out, or set SchemaOptions.Relax to have it left out");
}
