namespace GptOss.Harmony;

/// <summary>
/// Turns the JSON schema of a function's parameters, as .NET and tool servers make it, into the TypeScript type that
/// gpt-oss was trained to read.
/// </summary>
/// <remarks>
/// Every name of a property and every value of an enumeration stands in the text, wherever the schema has it. Titles
/// that repeat a name and null defaults are left out, and so are the parameters' own title and description. Parameters
/// without a property become none. What is too deep or too much becomes <c>any</c>.
/// </remarks>
internal static class SchemaCleaner
{
    /// <summary>The type of a function's parameters, read and written within one budget.</summary>
    /// <param name="function">The function, whose schema may be any JSON.</param>
    /// <param name="shortened">Called with a sentence that names the function where something is left out; null calls
    /// nobody.</param>
    /// <returns>The type of the parameters; null for a function without parameters.</returns>
    public static string? Parameters(ToolFunction function, Action<string>? shortened = null)
    {
        if (function.Parameters is not { } schema)
            return null;
        var budget = new SchemaBudget();
        ToolType type = new SchemaReader(schema, budget).Read(schema, function.Name, 0);
        type = type with { Title = null, Description = null };
        bool hasNoProperty =
            type.Words is ["object"]
            && type.Variants is null
            && type.Literals is null
            && !type.HasItems
            && type.Properties.Count == 0
            && type.Indexes.All(index => index.Value.SaysNothing && index is { Key: "string", Pattern: null });
        string? text = hasNoProperty ? null : new ToolTypeWriter(budget).Write(type);
        if (budget.Shortened is { } reason)
            shortened?.Invoke(Sentence(function.Name, reason));
        return text;
    }

    /// <summary>The sentence that says why a function's schema is not shown whole.</summary>
    public static string Sentence(string function, string reason) =>
        $"The schema of the function '{Printable.Name(function)}' {reason}. What goes beyond is shown to the model as "
        + "'any'. Make its parameters fewer and flatter.";
}
