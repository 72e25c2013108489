using System.Text.Json;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>A JSON value of <c>enum</c> or <c>const</c>. Two literals are equal where their keys are.</summary>
internal sealed class Literal
{
    private HashSet<string>? _names;

    private Literal(JsonTypes type, string text) => (Type, Text, Key) = (type, text, text);

    /// <summary>The one type of the value.</summary>
    public JsonTypes Type { get; }

    /// <summary>A string's value; the canonical spelling of another scalar; empty for arrays and objects.</summary>
    public string Text { get; }

    /// <summary>The exact value of a number.</summary>
    public DecimalNumber Number { get; private init; }

    /// <summary>The items of an array.</summary>
    public IReadOnlyList<Literal> Items { get; private init; } = [];

    /// <summary>The members of an object, in the order in which they were written.</summary>
    public IReadOnlyList<KeyValuePair<string, Literal>> Members { get; private init; } = [];

    /// <summary>The value in one spelling, members by the order of their names.</summary>
    public string Key { get; private init; }

    /// <summary>A string as a literal, for names of properties.</summary>
    public static Literal String(string value) => new(JsonTypes.String, value) { Key = Quoted(value) };

    /// <summary>Whether an object has a member of some name.</summary>
    public bool Has(string name) =>
        (_names ??= Members.Select(member => member.Key).ToHashSet(StringComparer.Ordinal)).Contains(name);

    /// <summary>The keys of some literals, to look others up.</summary>
    public static HashSet<string> KeysOf(IReadOnlyList<Literal> values) =>
        values.Select(value => value.Key).ToHashSet(StringComparer.Ordinal);

    /// <summary>Reads a literal. Its nesting has been bounded before.</summary>
    /// <exception cref="SchemaException">A name comes twice, or a text is not well-formed.</exception>
    public static Literal Read(SchemaValue value) =>
        value.Element.ValueKind switch
        {
            JsonValueKind.Null => new(JsonTypes.Null, "null"),
            JsonValueKind.True => new(JsonTypes.Boolean, "true"),
            JsonValueKind.False => new(JsonTypes.Boolean, "false"),
            JsonValueKind.Number => Of(value.Decimal()),
            JsonValueKind.String => String(value.Text()),
            JsonValueKind.Array => Array([.. value.Items().Select(Read)]),
            _ => Object([.. value.Members().Select(member => KeyValuePair.Create(member.Key, Read(member.Value)))]),
        };

    private static Literal Of(DecimalNumber number) =>
        new(number.IsInteger ? JsonTypes.Integer : JsonTypes.Fraction, number.ToString()) { Number = number };

    private static Literal Array(Literal[] items) =>
        new(JsonTypes.Array, "") { Items = items, Key = $"[{string.Join(',', items.Select(item => item.Key))}]" };

    private static Literal Object(KeyValuePair<string, Literal>[] members) =>
        new(JsonTypes.Object, "")
        {
            Members = members,
            Key =
                "{"
                + string.Join(
                    ',',
                    members
                        .OrderBy(member => member.Key, StringComparer.Ordinal)
                        .Select(member => $"{Quoted(member.Key)}:{member.Value.Key}")
                )
                + "}",
        };

    private static string Quoted(string value) => $"\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
}
