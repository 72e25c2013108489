// Over 300 lines: every kind of field of a configuration has its reader here, so that complaints have one form.
using System.Text.Json;
using System.Text.Unicode;

namespace GptOss.Checkpoint;

/// <summary>
/// A JSON object out of a model's small files (config.json, generation_config.json, tokenizer.json), read field by
/// field. Every complaint has one form: the file, the field, what was expected, what was found.
/// </summary>
/// <remarks>
/// In an optional field null counts as absent, in a required one as an error. The whole file is checked when it is
/// read: depth, names that occur twice, numbers beyond double, strings that are not Unicode. A byte-order mark is
/// skipped. NaN, Infinity and -Infinity are read where Python's json module writes them; a field that is asked for must
/// be a finite number all the same. A whole number may be written as 6.0 or 6e0.
/// </remarks>
internal sealed class JsonFields
{
    /// <summary>
    /// The largest configuration or index read; the published index of gpt-oss-120b is well below 0.1 MB.
    /// </summary>
    public const int MaxBytes = 16 << 20;

    private const int MaxDepth = 64;

    /// <summary>
    /// The most names, values and ends that are read. A tree takes many times the bytes that such a piece has in the
    /// file, and the largest index that is read names 100,000 tensors.
    /// </summary>
    private const int MaxPieces = 2_000_000;

    private readonly string _prefix;
    private readonly Dictionary<string, JsonElement> _fields;

    private JsonFields(string path, string prefix, JsonElement value)
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
    public static JsonFields Load(string path, int maximumBytes = MaxBytes)
    {
        JsonFields json = Parse(RegularFile.ReadAll(path, maximumBytes), path);
        return FileLook.DescribeObject(json.Names) is { } found ? throw new CheckpointException(path, found) : json;
    }

    /// <summary>Reads one JSON object out of the bytes of a file.</summary>
    /// <exception cref="CheckpointException">Whatever else the bytes are: nothing but this is thrown.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public static JsonFields Parse(ReadOnlyMemory<byte> utf8, string path, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            ReadOnlyMemory<byte> text = WithoutMark(utf8);
            text = text.Length <= MaxBytes ? PythonNumbers.Quote(text) : text;
            RequireBounded(text.Span, path, cancellation);
            var reader = new Utf8JsonReader(text.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
            var root = JsonElement.ParseValue(ref reader);
            if (root.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(path, Sentence("a JSON object", Found(root)));
            Check(root, path, "", cancellation);
            return new JsonFields(path, "", root);
        }
        catch (JsonException e)
        {
            string place = $"an error in line {e.LineNumber + 1} at byte {e.BytePositionInLine + 1}";
            throw new CheckpointException(path, Sentence($"JSON of at most {MaxDepth} levels", place), inner: e);
        }
        catch (InvalidOperationException e)
        {
            // JsonElement.GetString and JsonProperty.Name, on bytes or escapes that are no Unicode text.
            throw new CheckpointException(
                path,
                Sentence("JSON in UTF-8", "a string that is not Unicode text"),
                inner: e
            );
        }
    }

    // Reads over all of the text, which takes no memory, before a tree is made of it. So an error within the text is
    // told first.
    private static void RequireBounded(ReadOnlySpan<byte> text, string path, CancellationToken cancellation)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
        int pieces = 0;
        for (; reader.Read(); pieces++)
            cancellation.ThrowIfCancellationRequested();
        if (!Utf8.IsValid(text))
            throw new CheckpointException(path, Sentence("JSON in UTF-8", "a string that is not Unicode text"));
        if (text.Length > MaxBytes)
            throw new CheckpointException(path, $"has {text.Length} bytes, but should have at most {MaxBytes}.");
        if (pieces > MaxPieces)
            throw new CheckpointException(
                path,
                $"holds more than {MaxPieces} names and values, but should have at most that many."
            );
    }

    /// <summary>The bytes behind a byte-order mark; all of them where there is none.</summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> utf8)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        return utf8.Span.StartsWith(mark) ? utf8[mark.Length..] : utf8;
    }

    /// <summary>Whether the field is there, be it null.</summary>
    public bool Has(string name) => _fields.ContainsKey(name);

    /// <summary>Whether the field is an array without an item.</summary>
    public bool IsEmptyArray(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 0;

    /// <summary>A required whole number within <c>[min, max]</c>.</summary>
    public int Int32(string name, int min, int max) =>
        OptionalInt32(name, min, max) ?? throw Missing(name, WholeNumber(min, max));

    /// <summary>A whole number within <c>[min, max]</c>; null where the field is absent.</summary>
    public int? OptionalInt32(string name, int min, int max) =>
        Find(name) is { } value ? ToInt32(value, name, min, max) : null;

    /// <summary>A required finite number, written as a whole number or not.</summary>
    public double Number(string name) => OptionalNumber(name) ?? throw Missing(name, "a number");

    /// <summary>A finite number; null where the field is absent.</summary>
    public double? OptionalNumber(string name) =>
        Find(name) is not { } value ? null
        : PythonNumbers.IsQuoted(value) ? throw Wrong(name, "a finite number", Found(value))
        : Demand(value, name, JsonValueKind.Number, "a number").GetDouble();

    /// <summary>A positive number; the given one where the field is absent.</summary>
    public double Positive(string name, double absent)
    {
        double value = OptionalNumber(name) ?? absent;
        return (float)value is > 0 and <= float.MaxValue
            ? value // checked in float32, where 1e-50 would be zero
            : throw Wrong(name, "a positive number within float32", $"{value:R}");
    }

    /// <summary>The string of a required field.</summary>
    public string Text(string name) => OptionalText(name) ?? throw Missing(name, "a string");

    /// <summary>A string; null where the field is absent.</summary>
    public string? OptionalText(string name) =>
        Find(name) is { } value ? Demand(value, name, JsonValueKind.String, "a string").GetString() : null;

    /// <summary>true, false, or null where the field is absent.</summary>
    public bool? OptionalBoolean(string name) =>
        Find(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } other => throw Wrong(name, "true or false", Found(other)),
        };

    /// <summary>The object of a required field.</summary>
    public JsonFields Object(string name) => OptionalObject(name) ?? throw Missing(name, "an object");

    /// <summary>The object under this name; null where it is absent.</summary>
    public JsonFields? OptionalObject(string name) =>
        Find(name) is { } value
            ? new JsonFields(Path, Full(name) + ".", Demand(value, name, JsonValueKind.Object, "an object"))
            : null;

    /// <summary>The objects of a required array. Messages name their fields without the place in the array.</summary>
    public JsonFields[] Objects(string name) => OptionalObjects(name) ?? throw Missing(name, "an array of objects");

    /// <summary>The objects of an array; null where the field is absent.</summary>
    public JsonFields[]? OptionalObjects(string name) =>
        Items(name, "an array of objects", JsonValueKind.Object)
            ?.Select(item => new JsonFields(Path, Full(name) + ".", item))
            .ToArray();

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
        Items(name, "an array of strings", JsonValueKind.String)?.Select(item => item.GetString()!).ToArray();

    /// <summary>Refuses a field that is not an array; what the array holds is for others to read.</summary>
    public void RequireArray(string name) =>
        Demand(Find(name) ?? throw Missing(name, "an array"), name, JsonValueKind.Array, "an array");

    /// <summary>Refuses a field that is not the one string that is understood.</summary>
    public void RequireText(string name, string expected)
    {
        if (Text(name) is var found && found != expected)
            throw Wrong(name, Quoted(expected), Quoted(found));
    }

    /// <summary>Refuses a field that says something: missing, null, "", 0, false, [] and {} say nothing.</summary>
    public void RequireNothing(string name, string? hint = null)
    {
        if (
            Find(name) is { } value
            && string.Concat(value.GetRawText().Split()) is not ("\"\"" or "0" or "0.0" or "false" or "[]" or "{}")
        )
            throw Wrong(name, "null", Found(value), hint);
    }

    /// <summary>Whether the field is a string, and not another kind of value.</summary>
    public bool IsText(string name) => Find(name) is { ValueKind: JsonValueKind.String };

    /// <summary>An error about one field, for what only the reader of the configuration can judge.</summary>
    /// <param name="name">The field's name within this object.</param>
    /// <param name="expected">What the field should be, such as "a number above 1".</param>
    /// <param name="found">What the field is, such as "0.5".</param>
    /// <param name="hint">What it means or what to do about it; a sentence, or null for none.</param>
    public CheckpointException Wrong(string name, string expected, string found, string? hint = null) =>
        new(Path, Sentence(expected, found, hint), fieldName: Full(name));

    /// <summary>An error about a required field that is absent or null.</summary>
    /// <inheritdoc cref="Wrong"/>
    public CheckpointException Missing(string name, string expected, string? hint = null) =>
        Wrong(name, expected, Has(name) ? "null" : "nothing", hint);

    /// <summary>The field's name with those of the objects that it lies in.</summary>
    public string Full(string name) => _prefix + name;

    /// <summary>A string as messages show it: in quotes, short, without control characters.</summary>
    public static string Quoted(string text) => $"'{Printable.Name(text)}'";

    private static string Sentence(string expected, string found, string? hint = null) =>
        $"expected {expected}, found {found}.{(hint is null ? "" : " ")}{hint}";

    private static string WholeNumber(int min, int max) => $"a whole number from {min} to {max}";

    private JsonElement? Find(string name) =>
        _fields.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private JsonElement Demand(JsonElement value, string name, JsonValueKind kind, string expected) =>
        value.ValueKind == kind && !PythonNumbers.IsQuoted(value) ? value : throw Wrong(name, expected, Found(value));

    private IEnumerable<JsonElement>? Items(string name, string expected, JsonValueKind kind) =>
        Find(name) is { } value
            ? Demand(value, name, JsonValueKind.Array, expected)
                .EnumerateArray()
                .Select(item => Demand(item, name, kind, expected))
            : null;

    private int ToInt32(JsonElement value, string name, int min, int max) =>
        value.ValueKind == JsonValueKind.Number
        && value.GetDouble() is var number
        && number == Math.Floor(number)
        && number >= min
        && number <= max
            ? (int)number
            : throw Wrong(name, WholeNumber(min, max), Found(value));

    private static string Found(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Number => Printable.Name(value.GetRawText()),
            JsonValueKind.String when PythonNumbers.IsQuoted(value) => value.GetString()![1..],
            JsonValueKind.String => Quoted(value.GetString()!),
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => "null",
        };

    // The depth was limited when the text was parsed. An option of System.Text.Json finds names that occur twice, too,
    // but brings cryptography with it, and so a native library.
    private static void Check(JsonElement value, string path, string place, CancellationToken cancellation)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var names = new HashSet<string>(StringComparer.Ordinal);
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    cancellation.ThrowIfCancellationRequested();
                    string name = place.Length == 0 ? property.Name : $"{place}.{property.Name}";
                    if (!names.Add(property.Name))
                        throw new CheckpointException(path, Sentence("once", "twice"), fieldName: name);
                    Check(property.Value, path, name, cancellation);
                }
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    cancellation.ThrowIfCancellationRequested();
                    Check(item, path, place, cancellation);
                }
                break;
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Number when !value.TryGetDouble(out double number) || !double.IsFinite(number):
                throw new CheckpointException(path, Sentence("a finite number", Found(value)), fieldName: place);
        }
    }
}
