using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace GptOss.Checkpoint.Gguf;

/// <summary>
/// The keys of a GGUF file, read one by one as what they should be. An integer may have any integer type and a number
/// any type of numbers; a string in the place of a number is refused.
/// </summary>
/// <param name="path">The file, named so in messages.</param>
/// <param name="values">The value of every key.</param>
internal sealed class GgufKeys(string path, IReadOnlyDictionary<string, GgufValue> values)
{
    public const string SplitCount = "split.count",
        SplitNumber = "split.no",
        SplitTensors = "split.tensors.count",
        Architecture = "general.architecture",
        Name = "general.name";

    /// <summary>The file, as messages name it.</summary>
    public string Path => path;

    public bool Has(string key) => values.ContainsKey(key);

    /// <summary>The value of a key as the file has it; null where there is no such key.</summary>
    public GgufValue? this[string key] => values.TryGetValue(key, out GgufValue value) ? value : null;

    public int Int32(string key, int least, int most) =>
        OptionalInt32(key, least, most) ?? throw Missing(key, "a whole number");

    public int? OptionalInt32(string key, int least, int most) => (int?)OptionalInt64(key, least, most);

    /// <summary>A whole number; null where there is no such key.</summary>
    /// <exception cref="CheckpointException">The value is of another type, or out of range.</exception>
    public long? OptionalInt64(string key, long least, long most)
    {
        if (this[key] is not { } value)
            return null;
        string expected = $"a whole number from {least} to {most}";
        if (value.Type is GgufType.String or GgufType.Array or GgufType.Bool or GgufType.Float32 or GgufType.Float64)
            throw Wrong(key, expected, value.Type.Describe());
        long number = (long)value.Bits;
        return number >= least && number <= most && (value.Type != GgufType.UInt64 || value.Bits <= long.MaxValue)
            ? number
            : throw Wrong(
                key,
                expected,
                value.Type == GgufType.UInt64
                    ? value.Bits.ToString(CultureInfo.InvariantCulture)
                    : number.ToString(CultureInfo.InvariantCulture)
            );
    }

    /// <summary>
    /// A number; null where there is no such key. A float32 counts as the shortest decimal that means it: 1e-5, and not
    /// 9.9999997e-6.
    /// </summary>
    /// <exception cref="CheckpointException">The value is no number, or not finite.</exception>
    public double? OptionalNumber(string key)
    {
        if (this[key] is not { } value)
            return null;
        double number = value.Type switch
        {
            GgufType.Float32 => double.Parse(
                BitConverter.UInt32BitsToSingle((uint)value.Bits).ToString("R", CultureInfo.InvariantCulture),
                CultureInfo.InvariantCulture
            ),
            GgufType.Float64 => BitConverter.UInt64BitsToDouble(value.Bits),
            GgufType.UInt64 => value.Bits,
            GgufType.String or GgufType.Array or GgufType.Bool => throw Wrong(key, "a number", value.Type.Describe()),
            _ => (long)value.Bits,
        };
        return double.IsFinite(number) ? number : throw Wrong(key, "a number", "one that is not finite");
    }

    /// <summary>A number above zero in float32, or what counts where there is no such key.</summary>
    public double Positive(string key, double fallback)
    {
        double number = OptionalNumber(key) ?? fallback;
        return (float)number is > 0 and <= float.MaxValue
            ? number // checked in float32, where 1e-50 would be zero
            : throw Wrong(key, "a number above 0 that float32 has", Text(number));
    }

    /// <summary>A short string; null where there is no such key.</summary>
    /// <exception cref="CheckpointException">The value is no string, too long, or not UTF-8.</exception>
    public string? OptionalText(string key)
    {
        if (this[key] is not { } value)
            return null;
        if (value.Type != GgufType.String)
            throw Wrong(key, "a string", value.Type.Describe());
        if (value.Text is null)
            throw Wrong(key, "a short string", $"one of {value.Count} bytes");
        return Utf8.IsValid(value.Text)
            ? Encoding.UTF8.GetString(value.Text)
            : throw Wrong(key, "a string in UTF-8", "other bytes");
    }

    /// <summary>The error for a key whose value is not as it should be.</summary>
    public CheckpointException Wrong(string key, string expected, string found, string? hint = null) =>
        new(path, $"expected {expected}, found {found}.{(hint is null ? "" : " " + hint)}", fieldName: key);

    /// <summary>The error for a key that is not there.</summary>
    public CheckpointException Missing(string key, string expected) =>
        new(path, $"expected {expected}, found no such key.", fieldName: key);

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
