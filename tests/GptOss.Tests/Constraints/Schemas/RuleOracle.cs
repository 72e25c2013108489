using System.Text.Json;
using GptOss.Constraints;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>
/// Whether a JSON value belongs to a rule, by the definition of each shape and on the parsed value. It knows neither
/// bytes nor configurations, so that it judges what the compiler of schemas makes without the machine that walks it.
/// </summary>
internal static class RuleOracle
{
    public static bool Accepts(Rule rule, JsonElement value) => rule.Alternatives.Exists(shape => Fits(shape, value));

    public static bool Accepts(Rule rule, string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return Accepts(rule, document.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool Fits(Shape shape, JsonElement value) =>
        shape switch
        {
            TextShape { IsQuoted: false } text => value.ValueKind
                is not (JsonValueKind.String or JsonValueKind.Array or JsonValueKind.Object)
                && text.Language.Accepts(value.GetRawText()),
            TextShape text => value.ValueKind == JsonValueKind.String
                && text.Language.Accepts(value.GetString()!)
                && HasLength(value, text.MinLength, text.MaxLength),
            FreeStringShape text => value.ValueKind == JsonValueKind.String
                && HasLength(value, text.MinLength, text.MaxLength),
            ArrayShape array => value.ValueKind == JsonValueKind.Array && Fits(array, [.. value.EnumerateArray()]),
            ObjectShape container => value.ValueKind == JsonValueKind.Object
                && Fits(container, [.. value.EnumerateObject()]),
            _ => throw new NotSupportedException(shape.GetType().Name),
        };

    private static bool HasLength(JsonElement value, int min, int? max)
    {
        int length = value.GetString()!.EnumerateRunes().Count();
        return length >= min && length <= (max ?? int.MaxValue);
    }

    private static bool Fits(ArrayShape shape, JsonElement[] items)
    {
        if (items.Length < shape.MinItems || items.Length > (shape.MaxItems ?? int.MaxValue))
            return false;
        if (shape.IsUnique && items.DistinctBy(item => item.GetRawText()).Count() < items.Length)
            return false;
        // All ways to count the items, since an item may fit several alternatives.
        HashSet<string> counts = [string.Join(',', shape.Contains.Select(_ => 0))];
        for (int place = 0; place < items.Length; place++)
        {
            IReadOnlyList<Item> alternatives = place < shape.Prefix.Count ? shape.Prefix[place] : shape.Rest;
            counts =
            [
                .. alternatives
                    .Where(item => Accepts(item.Value, items[place]))
                    .SelectMany(item => counts.Select(count => Added(count, item.Counts))),
            ];
        }
        return counts.Any(count =>
            Numbers(count)
                .Zip(shape.Contains)
                .All(pair => pair.First >= pair.Second.Min && pair.First <= (pair.Second.Max ?? int.MaxValue))
        );
    }

    private static int[] Numbers(string count) =>
        [.. count.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

    private static string Added(string count, uint counts) =>
        string.Join(',', Numbers(count).Select((number, index) => number + (int)(counts >> index & 1)));

    private static bool Fits(ObjectShape shape, JsonProperty[] members)
    {
        if (members.DistinctBy(member => member.Name).Count() < members.Length)
            return false;
        if (members.Length < shape.MinProperties || members.Length > (shape.MaxProperties ?? int.MaxValue))
            return false;
        HashSet<int> there = [];
        int last = -1,
            counted = 0;
        foreach (JsonProperty member in members)
        {
            int index = shape.Properties.ToList().FindIndex(property => property.Name == member.Name);
            if (index >= 0)
            {
                if (shape.Properties[index].Value is not Rule rule || !Accepts(rule, member.Value))
                    return false;
                if (!shape.IsAnyOrder && index < last)
                    return false;
                (last, _) = (index, there.Add(index));
                continue;
            }
            last = int.MaxValue;
            ExtraProperties[] fitting =
            [
                .. shape.Extras.Where(extra => extra.Names.Accepts(member.Name) && Accepts(extra.Values, member.Value)),
            ];
            if (fitting.Length == 0)
                return false;
            counted += fitting.Any(extra => extra.Counts) ? 1 : 0;
        }
        return counted >= shape.MinCounted
            && shape
                .Properties.Select((property, index) => !property.IsRequired || there.Contains(index))
                .All(met => met)
            && shape.DependentRequired.All(pair => !there.Contains(pair.If) || there.Contains(pair.Then));
    }
}
