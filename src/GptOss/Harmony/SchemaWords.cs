namespace GptOss.Harmony;

/// <summary>
/// Knows the types that JSON schemas name, in every spelling that tools use (<c>int</c>, <c>Integer</c>), and the types
/// that keywords imply.
/// </summary>
internal static class SchemaWords
{
    /// <summary>TypeScript's word for a type that a schema names; null for a word that names none.</summary>
    public static string? Word(string type) =>
        type.ToLowerInvariant() switch
        {
            "string" or "str" => "string",
            "number" or "integer" or "int" or "float" or "double" => "number",
            "boolean" or "bool" => "boolean",
            "object" or "dict" => "object",
            "array" or "list" => "array",
            "null" or "none" => "null",
            _ => null,
        };

    /// <summary>
    /// The types that the keywords of a schema without a type imply: <c>minLength</c> implies <c>string</c>.
    /// </summary>
    public static IReadOnlyList<string> Implied(IEnumerable<string> keywords) =>
        [.. keywords.Select(Implied).OfType<string>().Distinct()];

    private static string? Implied(string keyword) =>
        keyword switch
        {
            "properties" or "additionalProperties" or "patternProperties" or "required" or "propertyNames" => "object",
            "items" or "prefixItems" or "contains" or "minItems" or "maxItems" or "uniqueItems" => "array",
            "pattern" or "minLength" or "maxLength" => "string",
            "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf" => "number",
            _ => null,
        };
}
