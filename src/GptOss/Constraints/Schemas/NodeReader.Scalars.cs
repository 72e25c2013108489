using System.Numerics;
using System.Text.Json;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

internal sealed partial class NodeReader
{
    private readonly Dictionary<string, BoundedLanguage> _patterns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CodePointDfa> _names = new(StringComparer.Ordinal);

    private static IEnumerable<Keyword> Types(SchemaFields fields)
    {
        if (!fields.TryGet("type", out SchemaValue type))
            yield break;
        JsonTypes types = JsonTypes.None;
        if (type.Element.ValueKind == JsonValueKind.Array)
            foreach (SchemaValue word in type.Items())
                types |= TypeOf(word);
        else
            types = TypeOf(type);
        if (fields.TryGet("nullable", out SchemaValue nullable) && nullable.Flag())
            types |= JsonTypes.Null;
        yield return new TypeKeyword(type.Pointer, types);
    }

    private static JsonTypes TypeOf(SchemaValue word) =>
        (word.Element.ValueKind == JsonValueKind.String ? word.Text() : "") switch
        {
            "null" => JsonTypes.Null,
            "boolean" => JsonTypes.Boolean,
            "integer" => JsonTypes.Integer,
            "number" => JsonTypes.Number,
            "string" => JsonTypes.String,
            "array" => JsonTypes.Array,
            "object" => JsonTypes.Object,
            _ => throw SchemaErrors.Wrong(
                word.Pointer,
                "one of 'null', 'boolean', 'integer', 'number', 'string', 'array' and 'object', or a list of them"
            ),
        };

    private IEnumerable<Keyword> Literals(SchemaFields fields)
    {
        if (fields.TryGet("const", out SchemaValue constant))
            yield return new EnumKeyword(constant.Pointer, [LiteralAt(constant)]);
        if (!fields.TryGet("enum", out SchemaValue list))
            yield break;
        List<SchemaValue> values = list.Items();
        if (values.Count > MostValues)
            throw SchemaErrors.Limit(list.Pointer, $"has {values.Count:N0} values, and the limit is {MostValues:N0}");
        yield return new EnumKeyword(list.Pointer, [.. values.Select(LiteralAt).DistinctBy(value => value.Key)]);
    }

    private Literal LiteralAt(SchemaValue value)
    {
        _valueBytes += JsonTexts.Length(value.Element);
        if (++_values > MostValuesInAll)
            throw SchemaErrors.Limit(value.Pointer, $"is one value too many: the limit is {MostValuesInAll:N0}");
        if (_valueBytes > MostValueBytes)
            throw SchemaErrors.Limit(
                value.Pointer,
                $"brings all values to {_valueBytes:N0} bytes, and the limit is {MostValueBytes:N0}"
            );
        _budget.Take(10);
        return Literal.Read(value);
    }

    private static IEnumerable<Keyword> Bounds(SchemaFields fields)
    {
        foreach (bool isUpper in (bool[])[false, true])
        {
            // In draft 4 the exclusive bound is a flag beside the bound.
            fields.TryGet(isUpper ? "exclusiveMaximum" : "exclusiveMinimum", out SchemaValue exclusive);
            bool isFlag = exclusive.Element.ValueKind is JsonValueKind.True or JsonValueKind.False;
            if (fields.TryGet(isUpper ? "maximum" : "minimum", out SchemaValue bound))
                yield return Bound(isUpper, bound, isExclusive: isFlag && exclusive.Flag());
            if (!isFlag && exclusive.Element.ValueKind != JsonValueKind.Undefined)
                yield return Bound(isUpper, exclusive, isExclusive: true);
        }
        if (fields.TryGet("multipleOf", out SchemaValue divisor))
            yield return divisor.Decimal() is { IsNegative: false, Digits.Length: > 0 } number
                ? new MultipleOfKeyword(divisor.Pointer, number, IsNegated: false)
                : throw SchemaErrors.Wrong(divisor.Pointer, "a number above 0");
        if (fields.TryGet("format", out SchemaValue format) && format.Element.ValueKind == JsonValueKind.String)
            foreach (Keyword bound in IntegerFormat(format))
                yield return bound;
    }

    private static Keyword Bound(bool isUpper, SchemaValue bound, bool isExclusive) =>
        isUpper
            ? new MaximumKeyword(bound.Pointer, new(bound.Decimal(), isExclusive))
            : new MinimumKeyword(bound.Pointer, new(bound.Decimal(), isExclusive));

    // Formats of OpenAPI and of .NET that are bounds of numbers.
    private static IEnumerable<Keyword> IntegerFormat(SchemaValue format)
    {
        (BigInteger Min, BigInteger Max)? range = format.Text() switch
        {
            "int16" => (short.MinValue, short.MaxValue),
            "int32" => (int.MinValue, int.MaxValue),
            "int64" => (long.MinValue, long.MaxValue),
            "uint8" => (byte.MinValue, byte.MaxValue),
            "uint16" => (ushort.MinValue, ushort.MaxValue),
            "uint32" => (uint.MinValue, uint.MaxValue),
            "uint64" => (ulong.MinValue, ulong.MaxValue),
            _ => null,
        };
        if (range is not var (min, max))
            yield break;
        yield return new MinimumKeyword(format.Pointer, new(DecimalNumber.Of(min)));
        yield return new MaximumKeyword(format.Pointer, new(DecimalNumber.Of(max)));
    }

    private IEnumerable<Keyword> Strings(SchemaFields fields)
    {
        if (fields.TryGet("pattern", out SchemaValue pattern))
            foreach (Keyword keyword in Pattern(pattern))
                yield return keyword;
        if (fields.TryGet("format", out SchemaValue format) && Formats.Find(format.Text()) is CodePointDfa named)
            yield return new LanguageKeyword(format.Pointer, named, Whole: null);
        if (fields.TryGet("contentEncoding", out SchemaValue encoding) && encoding.Text() == "base64")
            yield return new LanguageKeyword(encoding.Pointer, Formats.Find("byte")!, Whole: null);
    }

    private IEnumerable<Keyword> Pattern(SchemaValue pattern)
    {
        string text = pattern.Text();
        if (Formats.FindNarrowed(text) is CodePointDfa narrowed)
        {
            yield return new LanguageKeyword(pattern.Pointer, narrowed, NamesOf(text, pattern));
            yield break;
        }
        if (!_patterns.TryGetValue(text, out BoundedLanguage? found))
            _patterns[text] = found = Compiled(text, pattern, Patterns.SearchBounded);
        yield return new LanguageKeyword(pattern.Pointer, found.Language, found.Language);
        if (found.MinLength > 0 || found.MaxLength is not null)
            yield return new SizeKeyword(pattern.Pointer, JsonTypes.String, found.MinLength, found.MaxLength);
    }

    // The texts of a pattern as a language alone: names of properties have no bounds of length beside it.
    private CodePointDfa NamesOf(string pattern, SchemaValue place)
    {
        if (!_names.TryGetValue(pattern, out CodePointDfa? language))
            _names[pattern] = language = Compiled(pattern, place, Patterns.Search);
        return language;
    }

    private T Compiled<T>(string pattern, SchemaValue place, Func<string, CompileBudget, T> compile)
    {
        try
        {
            return compile(pattern, _budget);
        }
        catch (PatternException error)
        {
            throw new UnsupportedException(place.Pointer, error.Message);
        }
        catch (LimitException error)
        {
            throw SchemaErrors.Limit(place.Pointer, error.Message);
        }
    }
}
