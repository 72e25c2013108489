using System.Text;

namespace GptOss.Harmony;

/// <summary>
/// Writes a <see cref="ToolType"/> as TypeScript, in the form that gpt-oss was trained to read, within a budget of
/// characters.
/// </summary>
/// <remarks>
/// A type that <see cref="ToolSchemaWriter"/> can express is written byte for byte as that class writes it. This one
/// also writes enumerations of any values, dictionaries, tuples, and choices within arrays. Every text of the schema
/// stays within its comment or its quotes.
/// </remarks>
/// <param name="budget">Limits the characters that are written.</param>
internal sealed class ToolTypeWriter(SchemaBudget budget)
{
    private const string ItemsOfAny = "Array<any>";

    // The characters that the budget is charged for the words of a type. Names, values and comments are charged by
    // their length.
    private const int WordLength = 8;

    /// <summary>The text of a type, which begins in the middle of a line.</summary>
    public string Write(ToolType type) => OrNull(type, Type(type, ""));

    /// <summary>
    /// The text of a type without <c>| null</c> behind it; only the last variant of a choice brings its own.
    /// </summary>
    private string Type(ToolType type, string indent)
    {
        if (type.Variants is not { } variants)
            return budget.Write(WordLength) ? Single(type, indent) : "any";
        if (variants.Count == 0)
            return "any";
        var text = new StringBuilder();
        for (int i = 0; i < variants.Count; i++)
        {
            ToolType one = Last(type, i);
            text.Append('\n').Append(Variant(one, indent, one.Description, one.Default));
        }
        // A comment behind the last variant ends at the line end, so that the comma after the type is not part of it.
        if (variants[^1] is { Description: not null } or { Default: not null })
            text.Append('\n').Append(indent);
        return text.ToString();
    }

    private string Single(ToolType type, string indent)
    {
        var parts = new List<string>();
        if (type.Literals is { } literals)
            parts.Add(Literals(literals));
        bool isObject = type.Words.Contains("object"),
            isArray = type.Words.Contains("array");
        foreach (string word in type.Literals is null ? type.Words : [])
        {
            parts.Add(
                word switch
                {
                    "object" when type.HasMembers || type.Words.Count == 1 => Object(type, indent),
                    "array" when type.HasItems || type.Words.Count == 1 => Array(type, indent),
                    _ => word,
                }
            );
        }
        bool isSaid = type.Literals is null;
        if (type.HasMembers && !(isSaid && isObject) && (parts.Count == 0 || NamesAnything(type)))
            parts.Add(Object(type, indent));
        if (type.HasItems && !(isSaid && isArray) && (parts.Count == 0 || NamesAnything(type)))
            parts.Add(Array(type, indent));
        return parts.Count > 0 ? string.Join(" | ", parts) : "any";
    }

    /// <summary>
    /// Whether properties or items of the type hold a name or a value that the model would not see else.
    /// </summary>
    private static bool NamesAnything(ToolType type) =>
        type.Properties.Count > 0
        || type.Indexes.Any(index => index.Key != "string" || IsNaming(index.Value))
        || (type.Items is { } items && IsNaming(items))
        || type.Tuple?.Any(IsNaming) == true;

    private static bool IsNaming(ToolType type) =>
        type.Literals is not null || type.Variants?.Any(IsNaming) == true || NamesAnything(type);

    private string Literals(IReadOnlyList<string> literals)
    {
        var written = new List<string>(literals.Count);
        foreach (string literal in literals)
        {
            if (!budget.Write(literal.Length + 3))
                break;
            written.Add(literal);
        }
        return written.Count == literals.Count
            ? string.Join(" | ", written)
            : string.Join(" | ", written.Append("any"));
    }

    private string Array(ToolType type, string indent)
    {
        if (type.Tuple is { } tuple)
        {
            IEnumerable<string> items = tuple.Select(item => OrNull(item, Type(item, indent)));
            if (type.Items is { } more)
                items = items.Append($"...{Item(more, indent)}[]");
            return $"[{string.Join(", ", items)}]";
        }
        return type.Items is { } item ? Item(item, indent) + "[]" : ItemsOfAny;
    }

    /// <summary>
    /// The type of an array's items, in parentheses except where the model was trained to read it without: one type, or
    /// an enumeration of texts.
    /// </summary>
    private string Item(ToolType item, string indent)
    {
        string text = OrNull(item, Type(item, indent));
        bool isKnown =
            !IsOrNull(item)
            && item.Variants is null
            && (
                item.Literals is null
                    ? !item.Words.Any(word => word is "object" or "array") || item.Words.Count == 1
                    : item.Literals.All(literal => literal[0] == '"') || item.Literals.Count == 1
            );
        return isKnown && !(item.Literals is not null && NamesAnything(item)) ? text : $"({text})";
    }

    private string Object(ToolType type, string indent)
    {
        // A description is written before the brace only if the object is the whole type: among others, as in
        // "string | {", the comment would stand in the middle of a line.
        string comment = type is { Literals: null, Words.Count: <= 1, Description: { } description }
            ? Comment(indent, description)
            : "";
        if (type.Properties.Count == 0 && type.Indexes is [{ Pattern: null } only])
            return $"{comment}{{ [key: {only.Key}]: {OrNull(only.Value, Type(only.Value, indent))} }}";

        var text = new StringBuilder(comment).Append("{\n");
        foreach ((string name, ToolType property) in type.Properties)
        {
            string key = indent + SchemaText.Key(name) + (type.Required.Contains(name) ? ":" : "?:");
            if (!budget.Write(key.Length))
                break;
            AppendComments(text, property, indent);
            AppendMember(text, key, property, indent);
        }
        foreach (ToolIndex index in type.Indexes)
        {
            if (index.Pattern is { } pattern && budget.Write(pattern.Length))
                text.Append($"{indent}// keys that match {pattern}\n");
            AppendComments(text, index.Value, indent);
            AppendMember(text, $"{indent}[key: {index.Key}]:", index.Value, indent);
        }
        return text.Append(indent).Append('}').ToString();
    }

    private void AppendComments(StringBuilder text, ToolType property, string indent)
    {
        if (property.Title is { } title)
            text.Append(Comment(indent, title)).Append($"{indent}//\n");
        if (property.Variants is null && property.Description is { } description)
            text.Append(Comment(indent, description));
        if (property.Examples.Count > 0)
        {
            text.Append($"{indent}// Examples:\n");
            foreach (string example in property.Examples.TakeWhile(example => budget.Write(example.Length)))
                text.Append($"{indent}// - {example}\n");
        }
    }

    private void AppendMember(StringBuilder text, string key, ToolType property, string indent)
    {
        if (property.Variants is not null)
        {
            AppendVariants(text, key, property, indent);
            return;
        }
        text.Append($"{key} {OrNull(property, Type(property, indent + "    "))},");
        if (property.Default is not null)
            text.Append($" // default: {Default(property)}");
        text.Append('\n');
    }

    private void AppendVariants(StringBuilder text, string key, ToolType property, string indent)
    {
        IReadOnlyList<ToolType> variants = property.Variants!;
        bool above =
            property.Description is not null
            && (variants.Count == 0 || variants[0].Description != property.Description);
        if (above)
            text.Append(Comment(indent, property.Description!));
        if (property.Default is not null)
            text.Append($"{indent}// default: {Default(property)}\n");
        text.Append($"{key}\n");
        for (int i = 0; i < variants.Count; i++)
        {
            string? comment = variants[i].Description;
            if (comment == property.Description || (i == 0 && above))
                comment = null;
            string? value = variants[i].Default is null ? null : Default(variants[i]);
            text.Append(Variant(Last(property, i), indent, comment, value)).Append('\n');
        }
        text.Append($"{indent},\n");
    }

    /// <summary>
    /// A variant of a choice. Where the choice as a whole allows null, its last variant has the null.
    /// </summary>
    private static ToolType Last(ToolType choice, int index) =>
        choice.Nullable && index == choice.Variants!.Count - 1
            ? choice.Variants[index] with
            {
                Nullable = true,
            }
            : choice.Variants![index];

    private string Variant(ToolType variant, string indent, string? comment, string? value)
    {
        string type = OrNull(variant, Type(variant, indent + "   "));
        string[] comments =
        [
            .. new[]
            {
                comment is not null && budget.Write(comment.Length)
                    ? string.Join(' ', SchemaText.Lines(comment))
                    : null,
                value is not null && budget.Write(value.Length) ? $"default: {value}" : null,
            }.OfType<string>(),
        ];
        return $"{indent} | {type}{(comments.Length > 0 ? " // " + string.Join(' ', comments) : "")}";
    }

    private static string OrNull(ToolType type, string text) => IsOrNull(type) ? text + " | null" : text;

    private static bool IsOrNull(ToolType type) =>
        type.Nullable && type.Variants is null && !(type.Literals ?? type.Words).Contains("null");

    private string Comment(string indent, string text) =>
        !budget.Write(text.Length) ? "" : string.Concat(SchemaText.Lines(text).Select(line => $"{indent}// {line}\n"));

    /// <summary>
    /// A default as JSON. The default of an enumeration of texts stands without quotes, unless it holds an escape.
    /// </summary>
    private string Default(ToolType type)
    {
        string json = type.Default!;
        if (!budget.Write(json.Length))
            return "…";
        bool isText = json[0] == '"';
        return isText && type.Literals is not null && !json.Contains('\\', StringComparison.Ordinal)
            ? json[1..^1]
            : json;
    }
}
