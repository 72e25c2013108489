using System.Text.Json;

namespace GptOss.Checkpoint;

/// <summary>
/// A JSON object out of a small file, read field by field; every complaint names file, field, expected and found.
/// </summary>
/// <remarks>
/// In an optional field null counts as absent, in a required one as an error. The whole file is checked when it is
/// read: depth, names that occur twice, numbers beyond double, strings that are not Unicode. A byte-order mark is
/// skipped. NaN, Infinity and -Infinity are read where Python's json module writes them; a field that is asked for must
/// be a finite number all the same. A whole number may be written as 6.0 or 6e0.
/// </remarks>
internal sealed class ConfigJson
{
    /// <summary>
    /// The largest configuration or index read; the published index of gpt-oss-120b is well below 0.1 MB.
    /// </summary>
    public const int MaxBytes = 16 << 20;

    private const int MaxDepth = 64;

    private readonly string _prefix;
    private readonly Dictionary<string, JsonElement> _fields;

    private ConfigJson(string path, string prefix, JsonElement value)
    {
        Path = path;
        _prefix = prefix;
        _fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty property in value.EnumerateObject())
            _fields.Add(property.Name, property.Value);
    }

    /// <summary>The file the object comes from.</summary>
    public string Path { get; }

    /// <summary>The names of all fields, in the order of the file.</summary>
    public IEnumerable<string> Names => _fields.Keys;

    /// <summary>Reads a file that holds one JSON object.</summary>
    /// <exception cref="CheckpointException">The file is missing, not regular, too long, or no JSON object.</exception>
    public static ConfigJson Load(string path, int maximumBytes = MaxBytes)
    {
        ConfigJson json = Parse(RegularFile.ReadAll(path, maximumBytes), path);
        return FileLook.DescribeObject(json.Names) is { } found ? throw new CheckpointException(path, found) : json;
    }

    /// <summary>
    /// Reads one JSON object; nothing but <see cref="CheckpointException"/> is thrown, whatever the bytes are.
    /// </summary>
    public static ConfigJson Parse(ReadOnlyMemory<byte> utf8, string path)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        if (utf8.Span.StartsWith(mark))
            utf8 = utf8[mark.Length..];
        try
        {
            using var document = JsonDocument.Parse(
                PythonNumbers.Quote(utf8),
                new JsonDocumentOptions { MaxDepth = MaxDepth }
            );
            JsonElement root = document.RootElement.Clone();
            if (root.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(path, $"should be a JSON object but is {Kind(root)}.");
            Check(root, path, "");
            return new ConfigJson(path, "", root);
        }
        catch (JsonException e)
        {
            throw new CheckpointException(
                path,
                $"is not valid JSON of at most {MaxDepth} levels: "
                    + $"error in line {e.LineNumber + 1} at byte {e.BytePositionInLine + 1}."
            );
        }
        catch (InvalidOperationException)
        {
            // JsonElement.GetString and JsonProperty.Name, on bytes or escapes that are no Unicode text.
            throw new CheckpointException(path, "holds a string that is not Unicode text.");
        }
    }

    /// <summary>Whether the field is there, be it null.</summary>
    public bool Has(string name) => _fields.ContainsKey(name);

    /// <summary>Whether the field is an array without an item.</summary>
    public bool IsEmptyArray(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 0;

    /// <summary>A required whole number within <c>[min, max]</c>.</summary>
    public int Int32(string name, int min, int max) => OptionalInt32(name, min, max) ?? throw Missing(name);

    /// <inheritdoc cref="Int32"/>
    public int? OptionalInt32(string name, int min, int max) =>
        Find(name) is { } value ? ToInt32(value, name, min, max) : null;

    /// <summary>A required finite number, written as a whole number or not.</summary>
    public double Number(string name) => OptionalNumber(name) ?? throw Missing(name);

    /// <inheritdoc cref="Number"/>
    public double? OptionalNumber(string name) =>
        Find(name) is not { } value ? null
        : PythonNumbers.IsQuoted(value) ? throw Wrong(name, "a finite number", Kind(value))
        : Demand(value, name, JsonValueKind.Number, "a number").GetDouble();

    /// <summary>A required string.</summary>
    public string Text(string name) => OptionalText(name) ?? throw Missing(name);

    /// <inheritdoc cref="Text"/>
    public string? OptionalText(string name) =>
        Find(name) is { } value ? Demand(value, name, JsonValueKind.String, "a string").GetString() : null;

    /// <summary>true, false, or null where the field is absent.</summary>
    public bool? OptionalBoolean(string name) =>
        Find(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } other => throw Wrong(name, "true or false", Kind(other)),
        };

    /// <summary>The object under this name; null where it is absent.</summary>
    public ConfigJson? Object(string name) =>
        Find(name) is { } value
            ? new ConfigJson(Path, Full(name) + ".", Demand(value, name, JsonValueKind.Object, "an object"))
            : null;

    /// <summary>A whole number or an array of them; null where the field is absent.</summary>
    public int[]? OptionalInt32s(string name, int min, int max) =>
        Find(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Array } list =>
            [
                .. list.EnumerateArray().Select(item => ToInt32(item, name, min, max)),
            ],
            { } one => [ToInt32(one, name, min, max)],
        };

    /// <summary>An array of strings; null where the field is absent.</summary>
    public string[]? OptionalTexts(string name) =>
        Find(name) is { } value
            ?
            [
                .. Demand(value, name, JsonValueKind.Array, "an array of strings")
                    .EnumerateArray()
                    .Select(item => Demand(item, name, JsonValueKind.String, "an array of strings").GetString()!),
            ]
            : null;

    /// <summary>An error about one field, for what only the reader of the configuration can judge.</summary>
    public CheckpointException Fault(string name, string reason) => new(Path, reason, fieldName: Full(name));

    /// <summary>The field's name with those of the objects that it lies in.</summary>
    public string Full(string name) => _prefix + name;

    private JsonElement? Find(string name) =>
        _fields.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private JsonElement Demand(JsonElement value, string name, JsonValueKind kind, string expected) =>
        value.ValueKind == kind && !PythonNumbers.IsQuoted(value) ? value : throw Wrong(name, expected, Kind(value));

    private int ToInt32(JsonElement value, string name, int min, int max) =>
        value.ValueKind == JsonValueKind.Number
        && value.GetDouble() is var number
        && number == Math.Floor(number)
        && number >= min
        && number <= max
            ? (int)number
            : throw Wrong(name, $"a whole number from {min} to {max}", Kind(value));

    private CheckpointException Missing(string name) =>
        Fault(name, Has(name) ? "should have a value but is null." : "is missing.");

    private CheckpointException Wrong(string name, string expected, string found) =>
        Fault(name, $"should be {expected} but is {found}.");

    private static string Kind(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Number => Printable.Name(value.GetRawText()),
            JsonValueKind.String when PythonNumbers.IsQuoted(value) => value.GetString()![1..],
            JsonValueKind.String => $"'{Printable.Name(value.GetString()!)}'",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => "null",
        };

    // The depth was limited when the text was parsed.
    private static void Check(JsonElement value, string path, string place)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var names = new HashSet<string>(StringComparer.Ordinal);
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    string name = place.Length == 0 ? property.Name : $"{place}.{property.Name}";
                    if (!names.Add(property.Name))
                        throw new CheckpointException(path, "occurs twice.", fieldName: name);
                    Check(property.Value, path, name);
                }
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                    Check(item, path, place);
                break;
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Number when !value.TryGetDouble(out double number) || !double.IsFinite(number):
                throw new CheckpointException(
                    path,
                    $"should be a finite number but is {Kind(value)}.",
                    fieldName: place
                );
        }
    }
}
