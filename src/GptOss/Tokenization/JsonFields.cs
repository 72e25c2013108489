using System.Text.Json;
using System.Text.Unicode;

namespace GptOss.Tokenization;

/// <summary>
/// Fields of one JSON file, or the refusal that names file and field. A field is named by its path; its last part is
/// the key.
/// </summary>
internal sealed class JsonFields(string file)
{
    public string File { get; } = file;

    /// <summary>Parses a file and hands its root object to <paramref name="read"/>.</summary>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    /// <exception cref="CheckpointException">
    /// Not JSON in UTF-8, a key twice, half a surrogate pair, not an object; or thrown by <paramref name="read"/>.
    /// </exception>
    public static T Parse<T>(
        string file,
        byte[] bytes,
        Func<JsonFields, JsonElement, T> read,
        CancellationToken cancellation = default
    )
    {
        var fields = new JsonFields(file);
        if (!Utf8.IsValid(bytes))
            throw new CheckpointException(file, "expected JSON in UTF-8, found bytes that are not UTF-8.");
        try
        {
            cancellation.ThrowIfCancellationRequested();
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(file, $"expected a JSON object, found {Kind(document.RootElement)}.");
            fields.RefuseDuplicates(document.RootElement, "", cancellation);
            return read(fields, document.RootElement);
        }
        catch (JsonException e)
        {
            throw new CheckpointException(
                file,
                $"expected JSON, found an error in line {e.LineNumber + 1} at byte {e.BytePositionInLine + 1}.",
                inner: e
            );
        }
        catch (InvalidOperationException e)
        {
            // What System.Text.Json throws when a string holds half of an escaped surrogate pair.
            throw new CheckpointException(file, $"a string is not valid text: {e.Message}", inner: e);
        }
    }

    public CheckpointException Error(string field, string reason, Exception? inner = null) =>
        new(File, reason, fieldName: field, inner: inner);

    /// <summary>The field's value; null if it is missing or null.</summary>
    public JsonElement? Optional(JsonElement parent, string field)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw Error(field, $"expected it inside an object, found {Kind(parent)}.");
        return
            parent.TryGetProperty(field[(field.LastIndexOf('.') + 1)..], out JsonElement value)
            && value.ValueKind != JsonValueKind.Null
            ? value
            : null;
    }

    public JsonElement Required(JsonElement parent, string field) =>
        Optional(parent, field) ?? throw Error(field, "expected, not found.");

    public JsonElement Object(JsonElement parent, string field) => OfKind(parent, field, JsonValueKind.Object);

    public JsonElement Array(JsonElement parent, string field) => OfKind(parent, field, JsonValueKind.Array);

    public string Text(JsonElement parent, string field) => OfKind(parent, field, JsonValueKind.String).GetString()!;

    public bool Flag(JsonElement parent, string field, bool missing) =>
        Optional(parent, field) switch
        {
            null => missing,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            JsonElement other => throw Error(field, $"expected true or false, found {Kind(other)}."),
        };

    public void RequireText(JsonElement parent, string field, string expected)
    {
        string found = Text(parent, field);
        if (found != expected)
            throw Error(field, $"expected '{expected}', found '{Printable.Name(found)}'.");
    }

    /// <summary>Refuses a field that says something: missing, null, "", 0 and false say nothing.</summary>
    public void RequireNothing(JsonElement parent, string field)
    {
        string found = Optional(parent, field)?.GetRawText() ?? "null";
        if (found is not ("null" or "\"\"" or "0" or "0.0" or "false"))
            throw Error(field, $"expected null, found {Printable.Name(found)}.");
    }

    // The option of System.Text.Json would bring cryptography with it, and so a native library. The parser has limited
    // the depth.
    private void RefuseDuplicates(JsonElement value, string place, CancellationToken cancellation)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
                RefuseDuplicates(item, place, cancellation);
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (JsonProperty property in value.EnumerateObject())
            {
                cancellation.ThrowIfCancellationRequested();
                if (!names.Add(property.Name))
                    throw Error(Field(property), "occurs twice.");
                if (property.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
                    RefuseDuplicates(property.Value, Field(property), cancellation);
            }
        }

        string Field(JsonProperty property) => place.Length == 0 ? property.Name : $"{place}.{property.Name}";
    }

    private JsonElement OfKind(JsonElement parent, string field, JsonValueKind kind)
    {
        JsonElement value = Required(parent, field);
        return value.ValueKind == kind ? value : throw Error(field, $"expected {Kind(kind)}, found {Kind(value)}.");
    }

    private static string Kind(JsonElement value) => Kind(value.ValueKind);

    private static string Kind(JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => "a number",
            JsonValueKind.Null => "null",
            _ => "true or false",
        };
}
