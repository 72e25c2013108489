using System.Globalization;
using System.Text.Json;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>A value in the caller's schema and its place, with which is said what is wrong with it.</summary>
/// <param name="Element">The value as it was parsed.</param>
/// <param name="Pointer">JSON pointer to the value.</param>
internal readonly record struct SchemaValue(JsonElement Element, string Pointer)
{
    /// <summary>The largest size that can be asked for: more could not be reached in a context.</summary>
    public const int MostSize = 1_000_000;

    /// <summary>A count of characters, items or properties; a larger one than fits is as good as no bound.</summary>
    public int Count()
    {
        if (Element.ValueKind != JsonValueKind.Number)
            throw SchemaErrors.Wrong(Pointer, "a count");
        DecimalNumber number = Decimal();
        if (number.IsNegative || !number.IsInteger)
            throw SchemaErrors.Wrong(Pointer, "a count, which is whole and not negative");
        return int.TryParse(number.ToString(), CultureInfo.InvariantCulture, out int count) ? count : int.MaxValue;
    }

    /// <summary>A count that has to be reached.</summary>
    public int CountToReach() =>
        Count() is <= MostSize and int count
            ? count
            : throw SchemaErrors.Limit(Pointer, $"is {Element.GetRawText()}, and the limit is {MostSize:N0}");

    /// <summary>A number, exactly. A string that holds a number of JSON is one: .NET writes such bounds.</summary>
    public DecimalNumber Decimal()
    {
        string text =
            Element.ValueKind == JsonValueKind.Number ? Element.GetRawText()
            : Element.ValueKind == JsonValueKind.String ? Text()
            : "";
        try
        {
            return DecimalNumber.TryParse(text, out DecimalNumber number)
                ? number
                : throw SchemaErrors.Wrong(Pointer, "a number");
        }
        catch (LimitException limit)
        {
            throw SchemaErrors.Limit(Pointer, limit.Message);
        }
    }

    /// <summary>A string. A half of a surrogate pair is no text.</summary>
    public string Text()
    {
        if (Element.ValueKind != JsonValueKind.String)
            throw SchemaErrors.Wrong(Pointer, "a string");
        try
        {
            return Element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw SchemaErrors.Wrong(Pointer, "well-formed text");
        }
    }

    /// <summary>Either true or false, nothing else.</summary>
    public bool Flag() =>
        Element.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? Element.ValueKind == JsonValueKind.True
            : throw SchemaErrors.Wrong(Pointer, "true or false");

    /// <summary>The items of a list with their places.</summary>
    public List<SchemaValue> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array)
            throw SchemaErrors.Wrong(Pointer, "a list");
        var items = new List<SchemaValue>(Element.GetArrayLength());
        foreach (JsonElement item in Element.EnumerateArray())
            items.Add(new(item, SchemaPlace.Append(Pointer, items.Count)));
        return items;
    }

    /// <summary>The members of an object with their places, in the order of the text.</summary>
    public List<KeyValuePair<string, SchemaValue>> Members()
    {
        if (Element.ValueKind != JsonValueKind.Object)
            throw SchemaErrors.Wrong(Pointer, "an object");
        var members = new List<KeyValuePair<string, SchemaValue>>();
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty member in Element.EnumerateObject())
        {
            string name = NameOf(member);
            SchemaValue value = new(member.Value, SchemaPlace.Append(Pointer, name));
            if (!names.Add(name))
                throw SchemaErrors.At(value.Pointer, "comes twice");
            members.Add(KeyValuePair.Create(name, value));
        }
        return members;
    }

    /// <summary>A list of strings, of which none comes twice.</summary>
    public List<string> Names()
    {
        var names = new List<string>();
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (SchemaValue item in Items())
        {
            string name = item.Text();
            if (seen.Add(name))
                names.Add(name);
        }
        return names;
    }

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw SchemaErrors.Wrong(Pointer, "an object whose names are well-formed text");
        }
    }
}
