using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GptOss.Harmony;

/// <summary>Says a schema, such as .NET makes it, in words that <see cref="ToolSchemaWriter"/> does not ignore.</summary>
/// <remarks>
/// Local references are resolved (one that leads into itself becomes any type); null among the types becomes
/// <c>nullable</c>; <c>anyOf</c> becomes a list of types, or <c>oneOf</c> where its variants say more; <c>allOf</c> of
/// one is that one; <c>const</c> is an enumeration of one; an <c>enum</c> of strings gets its type; titles that repeat
/// a name and null defaults go; each line of a description becomes a comment. The parameters' own title and description
/// go too, and parameters without a property become none.
/// </remarks>
internal static class SchemaCleaner
{
    /// <exception cref="HarmonyFormatException">
    /// The schema is nested too deeply, its references make it endless, or it holds half of a surrogate pair.
    /// </exception>
    public static ToolFunction Clean(ToolFunction function)
    {
        if (function.Parameters is not { ValueKind: JsonValueKind.Object } parameters)
            return function;
        try
        {
            JsonObject cleaned = new SchemaCleaning(parameters).Clean(parameters, SchemaPlace.Root(function.Name));
            cleaned.Remove("title");
            cleaned.Remove("description");
            bool isEmpty = SchemaCleaning.Word(cleaned["type"]) == "object" && !cleaned.ContainsKey("oneOf")
                && cleaned["properties"] is null or JsonObject { Count: 0 };
            return function with { Parameters = isEmpty ? null : Element(cleaned) };
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            throw new HarmonyFormatException(
                $"The schema of the function '{function.Name}' holds half of a surrogate pair, which is not text.", e);
        }
    }

    private static JsonElement Element(JsonObject node)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
            node.WriteTo(writer);
        var reader = new Utf8JsonReader(bytes.WrittenSpan, new JsonReaderOptions { MaxDepth = 1000 });
        return JsonElement.ParseValue(ref reader);
    }
}

/// <summary>Where a schema stands.</summary>
/// <param name="Indent">What the writer puts before the lines of its type.</param>
/// <param name="CommentIndent">What it puts before its description; null where that stands at the end of a line.</param>
/// <param name="Depth">How deeply it is nested.</param>
/// <param name="Name">The property or function that it describes.</param>
internal readonly record struct SchemaPlace(string Indent, string? CommentIndent, int Depth, string? Name)
{
    public static SchemaPlace Root(string name) => new("", "", 0, name);

    public SchemaPlace Deeper => this with { Depth = Depth + 1 };

    public SchemaPlace Items => new(Indent, Indent, Depth + 1, null);

    public SchemaPlace Variant => new(Indent + "   ", null, Depth + 1, null);

    public SchemaPlace Property(string name) => new(Indent + "    ", Indent, Depth + 1, name);

    /// <summary>A text of several lines, such that each of them is a comment.</summary>
    public string Comment(string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        return string.Join(CommentIndent is null ? " " : $"\n{CommentIndent}// ", lines);
    }
}
