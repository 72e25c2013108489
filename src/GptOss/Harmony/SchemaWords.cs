namespace GptOss.Harmony;

/// <summary>The types that schemas name, however they spell them.</summary>
internal static class SchemaWords
{
    /// <summary>A type by TypeScript's word for it; null for a word that is no type.</summary>
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

    /// <summary>The types that a schema without one means, as its keywords tell.</summary>
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
