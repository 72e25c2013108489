using System.Text;
using System.Text.Json;

namespace GptOss.Checkpoint.Safetensors;

/// <summary>One tensor as the header spells it, before offsets and sizes are checked.</summary>
internal sealed record HeaderEntry(string Name, DType DType, ulong[] Shape, ulong Begin, ulong End);

/// <summary>
/// Reads the JSON of a safetensors header, one token after the other, and judges it as the reference parser's types do.
/// </summary>
/// <remarks>
/// Accepted as by serde: unknown fields of a tensor, a tensor as the array [dtype, shape, data_offsets], a dtype as
/// {"F32": null}, null as <c>__metadata__</c>, 127 levels of nesting. Stricter on purpose: no name twice in any object,
/// and bounded counts. The input must be valid UTF-8. Source: struct HashMetadata and TensorInfo in
/// huggingface/safetensors, safetensors/src/tensor.rs.
/// </remarks>
internal ref struct HeaderJson
{
    /// <summary>gpt-oss-120b has 687 tensors.</summary>
    public const int MaxTensors = 100_000;

    /// <summary>Bounds the memory that the shapes of a hostile header of legal length may take.</summary>
    public const int MaxDimensions = 1_000_000;

    /// <summary>Bounds the memory for finding names that occur twice, metadata and fields included.</summary>
    public const int MaxNames = 1_000_000;

    private const int MaxDepth = 127; // serde_json stops at the 128th level

    private readonly string _path;
    private Utf8JsonReader _json;
    private string? _tensor;
    private int _dimensions;
    private int _names;

    private HeaderJson(ReadOnlySpan<byte> utf8, string path)
    {
        _path = path;
        _json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>The tensors in the order of the text.</summary>
    /// <exception cref="CheckpointException">Not JSON, or not the JSON of a safetensors header.</exception>
    public static List<HeaderEntry> Read(ReadOnlySpan<byte> utf8, string path)
    {
        var header = new HeaderJson(utf8, path);
        try
        {
            return header.ReadEntries();
        }
        catch (JsonException e)
        {
            throw header.Fault($"no valid JSON in line {e.LineNumber + 1} at byte {e.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader.GetString, on an escaped surrogate without its partner.
            throw header.Fault("a string is not Unicode text.");
        }
    }

    private List<HeaderEntry> ReadEntries()
    {
        var entries = new List<HeaderEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Next();
        Demand(JsonTokenType.StartObject, "it", "an object");
        while (Next() == JsonTokenType.PropertyName)
        {
            string name = _json.GetString()!;
            if (!names.Add(name))
                throw new CheckpointException(_path, "is listed twice in the header.", name);
            Next();
            if (name == "__metadata__")
            {
                ReadMetadata();
                continue;
            }
            if (entries.Count == MaxTensors)
                throw new CheckpointException(_path, $"its header lists more than {MaxTensors} tensors.");
            _tensor = name;
            entries.Add(ReadEntry(name));
            _tensor = null;
        }
        _json.Read(); // throws if anything but white space follows
        return entries;
    }

    private void ReadMetadata()
    {
        if (_json.TokenType == JsonTokenType.Null)
            return;
        Demand(JsonTokenType.StartObject, "__metadata__", "an object of strings");
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (Next() == JsonTokenType.PropertyName)
        {
            NewName(names);
            Next();
            Demand(JsonTokenType.String, "__metadata__", "an object of strings");
            _json.GetString(); // throws if the string is not Unicode text
        }
    }

    private HeaderEntry ReadEntry(string name)
    {
        if (_json.TokenType == JsonTokenType.StartArray)
            return ReadEntryArray(name);
        Demand(JsonTokenType.StartObject, "it", "an object");
        var names = new HashSet<string>(StringComparer.Ordinal);
        DType? dtype = null;
        ulong[]? shape = null;
        (ulong Begin, ulong End)? offsets = null;
        while (Next() == JsonTokenType.PropertyName)
        {
            string field = NewName(names);
            Next();
            if (field == "dtype")
                dtype = ReadDType();
            else if (field == "shape")
                shape = ReadShape();
            else if (field == "data_offsets")
                offsets = ReadOffsets();
            else
                CheckValue();
        }
        return new HeaderEntry(
            name,
            dtype ?? throw Fault("the field 'dtype' is missing."),
            shape ?? throw Fault("the field 'shape' is missing."),
            offsets?.Begin ?? throw Fault("the field 'data_offsets' is missing."),
            offsets.Value.End
        );
    }

    private HeaderEntry ReadEntryArray(string name)
    {
        Next();
        DType dtype = ReadDType();
        Next();
        ulong[] shape = ReadShape();
        Next();
        (ulong begin, ulong end) = ReadOffsets();
        Next();
        Demand(JsonTokenType.EndArray, "it", "an array of three");
        return new HeaderEntry(name, dtype, shape, begin, end);
    }

    private DType ReadDType()
    {
        bool wrapped = _json.TokenType == JsonTokenType.StartObject;
        if (wrapped)
            Next();
        Demand(wrapped ? JsonTokenType.PropertyName : JsonTokenType.String, "dtype", "a string");
        string spelling = _json.GetString()!;
        if (wrapped)
        {
            Next();
            Demand(JsonTokenType.Null, "dtype", "a string");
            Next();
            Demand(JsonTokenType.EndObject, "dtype", "a string");
        }
        return DTypes.TryParse(spelling, out DType dtype)
            ? dtype
            : throw Fault($"'{Printable.Name(spelling)}' is no dtype of safetensors.");
    }

    private ulong[] ReadShape()
    {
        Demand(JsonTokenType.StartArray, "shape", "an array of whole numbers");
        var shape = new List<ulong>();
        while (Next() != JsonTokenType.EndArray)
        {
            if (++_dimensions > MaxDimensions)
                throw new CheckpointException(_path, $"its header lists more than {MaxDimensions} dimensions.");
            shape.Add(WholeNumber("shape"));
        }
        return [.. shape];
    }

    private (ulong Begin, ulong End) ReadOffsets()
    {
        Demand(JsonTokenType.StartArray, "data_offsets", "an array of two whole numbers");
        Next();
        ulong begin = WholeNumber("data_offsets");
        Next();
        ulong end = WholeNumber("data_offsets");
        Next();
        Demand(JsonTokenType.EndArray, "data_offsets", "an array of two whole numbers");
        return (begin, end);
    }

    private ulong WholeNumber(string field)
    {
        if (_json.TokenType == JsonTokenType.Number && _json.TryGetUInt64(out ulong number))
            return number;
        throw Fault($"'{field}' should hold whole numbers from 0 to 2^64 - 1, but holds {Found()}.");
    }

    /// <summary>
    /// Walks a value nobody reads, because damage in it is damage too: numbers are finite, strings Unicode, names
    /// single.
    /// </summary>
    private void CheckValue()
    {
        var open = new Stack<HashSet<string>>();
        do
        {
            switch (_json.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    open.Push(new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    NewName(open.Peek());
                    break;
                case JsonTokenType.String:
                    _json.GetString();
                    break;
                case JsonTokenType.Number when !_json.TryGetDouble(out double number) || !double.IsFinite(number):
                    throw Fault($"{Found()} is out of range.");
            }
        } while (open.Count > 0 && _json.Read());
    }

    private JsonTokenType Next()
    {
        _json.Read(); // the block is the final one, so a missing token throws
        return _json.TokenType;
    }

    private string NewName(HashSet<string> names)
    {
        if (++_names > MaxNames)
            throw new CheckpointException(_path, $"its header holds more than {MaxNames} names.");
        string name = _json.GetString()!;
        return names.Add(name) ? name : throw Fault($"the name '{Printable.Name(name)}' occurs twice in one object.");
    }

    private void Demand(JsonTokenType expected, string what, string expectedText)
    {
        if (_json.TokenType != expected)
            throw Fault($"{what} should be {expectedText}, but {Found()} was found.");
    }

    private string Found()
    {
        ReadOnlySpan<byte> text = _json.ValueSpan;
        return _json.TokenType switch
        {
            JsonTokenType.Number => Encoding.UTF8.GetString(text[..Math.Min(text.Length, 40)]),
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.EndArray or JsonTokenType.EndObject => "the end",
            JsonTokenType.String or JsonTokenType.PropertyName => "a string",
            JsonTokenType.Null => "null",
            _ => _json.TokenType == JsonTokenType.True ? "true" : "false",
        };
    }

    private readonly CheckpointException Fault(string reason) =>
        new(_path, (_tensor is null ? "its header is damaged: " : "has a damaged header entry: ") + reason, _tensor);
}
