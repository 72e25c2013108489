namespace GptOss.Constraints.Schemas;

/// <summary>JSON pointers of RFC 6901, as they stand in messages and behind the <c>#</c> of a <c>$ref</c>.</summary>
internal static class SchemaPlace
{
    /// <summary>A pointer to a member or item of what another pointer leads to.</summary>
    public static string Append(string pointer, string name) => $"{pointer}/{Escape(name)}";

    /// <summary>A pointer to an item of what another pointer leads to.</summary>
    public static string Append(string pointer, int index) => $"{pointer}/{index}";

    /// <summary>A name out of a pointer's part.</summary>
    public static string Unescape(string part) =>
        part.Contains('~') ? part.Replace("~1", "/").Replace("~0", "~") : part;

    private static string Escape(string name) =>
        name.AsSpan().ContainsAny('~', '/') ? name.Replace("~", "~0").Replace("/", "~1") : name;
}
