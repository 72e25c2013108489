using System.Globalization;
using System.Text.Json;
using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// A value of a request's body together with its place, so that whatever is wrong with it can be told by name:
/// <c>messages[2].role</c>.
/// </summary>
/// <remarks>
/// A member that is missing and one that is null are the same, <see cref="IsAbsent"/>. Values belong to the body and
/// are gone with it; <see cref="Copy"/> gives what shall stay.
/// </remarks>
/// <param name="json">The value; undefined for a member that is not there.</param>
/// <param name="place">The way to the value from the root, which is empty.</param>
internal readonly struct WireValue(JsonElement json, string place)
{
    /// <summary>The way to the value from the root, such as <c>tools[0].function.name</c>.</summary>
    public string Place { get; } = place;

    public bool IsAbsent => json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    public bool IsText => json.ValueKind == JsonValueKind.String;

    public bool IsList => json.ValueKind == JsonValueKind.Array;

    public bool IsObject => json.ValueKind == JsonValueKind.Object;

    /// <summary>A member of an object; absent where the object lacks it, or is absent itself.</summary>
    /// <exception cref="FaultException">The value is there, and is no object.</exception>
    public WireValue this[string name]
    {
        get
        {
            if (IsAbsent)
                return new WireValue(default, Below(name));
            if (!IsObject)
                throw WrongType("an object");
            return new WireValue(json.TryGetProperty(name, out JsonElement member) ? member : default, Below(name));
        }
    }

    /// <summary>Demands that the value is there, since nothing can stand in for it.</summary>
    public WireValue Needed(string expected) =>
        IsAbsent ? throw Wrong("missing_required_parameter", $"'{Place}' is missing; expected {expected}.") : this;

    /// <summary>The text of a string; null where it is absent.</summary>
    public string? Text(int most = int.MaxValue)
    {
        if (IsAbsent)
            return null;
        if (!IsText)
            throw WrongType("a string");
        string text = json.GetString()!;
        return text.Length <= most
            ? text
            : throw Wrong(
                "string_above_max_length",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{Place}' has {text.Length} characters; expected at most {most}."
                )
            );
    }

    /// <summary>One of a few words; null where the value is absent.</summary>
    public string? Word(params ReadOnlySpan<string> words)
    {
        string? word = Text();
        return word is null || words.Contains(word) ? word : throw NotOneOf(words, word);
    }

    /// <summary>The fault of a word that none of the known ones is.</summary>
    public FaultException NotOneOf(ReadOnlySpan<string> words, string found) =>
        WrongValue($"one of {string.Join(", ", words!)}", Fault.Quote(found));

    /// <summary>A truth value; null where it is absent.</summary>
    public bool? Flag() =>
        json.ValueKind switch
        {
            _ when IsAbsent => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw WrongType("true or false"),
        };

    /// <summary>A number within limits; null where the value is absent.</summary>
    /// <param name="least">The smallest number that is taken.</param>
    /// <param name="most">The largest number that is taken.</param>
    /// <param name="isAbove">Whether the smallest number itself is too small.</param>
    public double? Number(double least, double most, bool isAbove = false)
    {
        if (IsAbsent)
            return null;
        string range = string.Create(
            CultureInfo.InvariantCulture,
            $"a number {(isAbove ? "above" : "from")} {least} {(isAbove ? "and at most" : "to")} {most}"
        );
        if (json.ValueKind != JsonValueKind.Number)
            throw WrongType(range);
        return json.TryGetDouble(out double number) && number <= most && (isAbove ? number > least : number >= least)
            ? number
            : throw WrongValue(range, Fault.Quote(json.GetRawText()));
    }

    /// <summary>A whole number within limits; null where the value is absent. 100.0 and 1e2 are whole.</summary>
    public long? Whole(long least, long most)
    {
        if (IsAbsent)
            return null;
        string range = string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        if (json.ValueKind != JsonValueKind.Number)
            throw WrongType(range);
        bool isWhole =
            json.TryGetInt64(out long number)
            || (
                json.TryGetDouble(out double real)
                && Math.Abs(real) < 1L << 53
                && double.IsInteger(real)
                && (number = (long)real) == real
            );
        return isWhole && number >= least && number <= most
            ? number
            : throw WrongValue(range, Fault.Quote(json.GetRawText()));
    }

    /// <summary>The items of a list; none where the value is absent.</summary>
    /// <param name="most">How many items are taken at most.</param>
    /// <param name="expected">What the list is expected to hold, for the message.</param>
    public IReadOnlyList<WireValue> Items(int most, string expected = "a list")
    {
        if (IsAbsent)
            return [];
        if (!IsList)
            throw WrongType(expected);
        int count = json.GetArrayLength();
        if (count > most)
            throw Wrong(
                "array_above_max_length",
                string.Create(CultureInfo.InvariantCulture, $"'{Place}' has {count} items; expected at most {most}.")
            );
        var items = new List<WireValue>(count);
        foreach (JsonElement item in json.EnumerateArray())
            items.Add(new WireValue(item, string.Create(CultureInfo.InvariantCulture, $"{Place}[{items.Count}]")));
        return items;
    }

    /// <summary>The members of an object, in their order; none where the value is absent.</summary>
    public IEnumerable<(string Name, WireValue Value)> Members(string expected = "an object")
    {
        if (IsAbsent)
            return [];
        return IsObject ? Each(json, Place) : throw WrongType(expected);
    }

    /// <summary>A copy of the value that outlives the body.</summary>
    public JsonElement Copy() => json.Clone();

    /// <summary>The value as it was sent.</summary>
    public string Raw() => json.GetRawText();

    /// <summary>The fault of a value of another type than the expected one.</summary>
    public FaultException WrongType(string expected) =>
        Wrong("invalid_type", $"{Subject} should be {expected}, but is {TypeName}.");

    /// <summary>The fault of a value of the right type that is not among those that are taken.</summary>
    public FaultException WrongValue(string expected, string found) =>
        Wrong("invalid_value", $"{Subject} should be {expected}, but is {found}.");

    /// <summary>The fault of something that is known and that this server does not offer.</summary>
    public FaultException NotOffered(string sentence) => Wrong("unsupported_parameter", $"{Subject} {sentence}");

    /// <summary>A fault at this place.</summary>
    public FaultException Wrong(string code, string message) =>
        new(new Fault(FaultKind.Invalid, code, message, Place.Length > 0 ? Place : null));

    private string Subject => Place.Length > 0 ? $"'{Printable.Line(Place)}'" : "The body";

    private string TypeName =>
        json.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => "a number",
            JsonValueKind.True or JsonValueKind.False => "true or false",
            _ => "null",
        };

    private string Below(string name) => Place.Length > 0 ? $"{Place}.{name}" : name;

    // The names are the caller's, and the place is told in errors: it holds at most 80 characters of each.
    private static IEnumerable<(string, WireValue)> Each(JsonElement json, string place)
    {
        foreach (JsonProperty member in json.EnumerateObject())
        {
            string name = Printable.Name(member.Name);
            yield return (member.Name, new WireValue(member.Value, place.Length > 0 ? $"{place}.{name}" : name));
        }
    }
}
