using System.Text;
using System.Text.Json;

namespace GptOss.Tests.Fuzzing;

/// <summary>
/// Damages a text of JSON in one place, as text: what comes out is JSON, but for the damage of bytes, which one case in
/// twelve has.
/// </summary>
internal static class JsonDamage
{
    private static readonly string[] Signs = ["", "x", "\u00e9", "\\ud800", "\\u0000", "\u202e", " ", "/", "\\n"];

    /// <summary>The text with one damage.</summary>
    /// <param name="json">The text, of which nothing is asked.</param>
    /// <param name="random">Where the choices come from.</param>
    /// <param name="foreign">Texts that pieces are taken from.</param>
    public static byte[] Damage(byte[] json, Random random, params byte[][] foreign)
    {
        List<Place> places = PlacesOf(json);
        if (places.Count == 0 || random.Next(12) == 0)
            return ByteDamage.Damage(json, random);
        Place place = places[random.Next(places.Count)];
        switch (random.Next(10))
        {
            case 0:
                return Without(json, place);
            case 1: // twice, or far more often
                return Repeated(json, place, random.Next(3) == 0 ? random.Next(2, 40) : 1);
            case 2: // the name of another member
                Place other = places[random.Next(places.Count)];
                return place.IsMember && other.IsMember
                    ? Put(json, place.Name, json[other.Name])
                    : Put(json, place.Value, json[other.Value]);
            case 3: // exchanged
                return Exchanged(json, place, places[random.Next(places.Count)]);
            case 4 when foreign.Length > 0: // a piece of another text
                byte[] from = foreign[random.Next(foreign.Length)];
                List<Place> pieces = PlacesOf(from);
                return pieces.Count == 0 ? from : Put(json, place.Value, from[pieces[random.Next(pieces.Count)].Value]);
            case 5: // within others, up to deeper than any reader goes
                return Nested(json, place, 1 << random.Next(random.Next(20) == 0 ? 13 : 7), random.Next(2) == 0);
            case 6 when json[place.Value][0] == '"':
                return Put(json, place.Value, Respelled(json[place.Value], random));
            case 7 when place.IsMember:
                return Put(json, place.Name, Respelled(json[place.Name], random));
            default:
                return Put(json, place.Value, EdgeValues.Json[random.Next(EdgeValues.Json.Length)]);
        }
    }

    private static byte[] Put(byte[] json, Range range, byte[] value) =>
        [.. json[..range.Start], .. value, .. json[range.End..]];

    private static byte[] Without(byte[] json, Place place)
    {
        (int begin, int end) = (place.Whole.Start.Value, place.Whole.End.Value);
        int next = end;
        while (next < json.Length && json[next] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            next++;
        if (next < json.Length && json[next] == ',')
            end = next + 1;
        else
        {
            int before = begin - 1;
            while (before > 0 && json[before] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
                before--;
            if (before >= 0 && json[before] == ',')
                begin = before;
        }
        return [.. json[..begin], .. json[end..]];
    }

    private static byte[] Repeated(byte[] json, Place place, int times)
    {
        if (place.IsRoot)
            return json;
        var more = new List<byte>();
        for (int i = 0; i < times; i++)
            more.AddRange([.. json[place.Whole], (byte)',']);
        return [.. json[..place.Whole.Start], .. more, .. json[place.Whole.Start..]];
    }

    private static byte[] Exchanged(byte[] json, Place one, Place other)
    {
        (Range first, Range second) =
            one.Value.Start.Value < other.Value.Start.Value ? (one.Value, other.Value) : (other.Value, one.Value);
        return first.End.Value > second.Start.Value
            ? Put(json, first, json[second]) // one within the other
            : Put(Put(json, second, json[first]), first, json[second]);
    }

    private static byte[] Nested(byte[] json, Place place, int depth, bool isList)
    {
        string open = isList ? "[" : "{\"a\":",
            close = isList ? "]" : "}";
        return Put(
            json,
            place.Value,
            [
                .. Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(open, depth))),
                .. json[place.Value],
                .. Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(close, depth))),
            ]
        );
    }

    // The text of a value or a name: another case, a half of it, twice, very often, another sign.
    private static byte[] Respelled(byte[] quoted, Random random)
    {
        string text = Encoding.UTF8.GetString(quoted)[1..^1];
        // A half of an escape would end the text's quotes.
        int middle = text.Contains('\\', StringComparison.Ordinal) ? 0 : random.Next(text.Length + 1);
        string sign = Signs[random.Next(Signs.Length)];
        string other = random.Next(6) switch
        {
            0 => text.Contains('\\', StringComparison.Ordinal) ? text : text.ToUpperInvariant(),
            1 => text[..middle],
            2 => text + text,
            3 => string.Concat(Enumerable.Repeat(text + "x", 2000 / (text.Length + 1) + 1)),
            4 => text + sign,
            _ => text[..middle] + sign + text[middle..],
        };
        return Encoding.UTF8.GetBytes($"\"{other}\"");
    }

    /// <summary>All values of a text, the whole first; none where the text is not JSON.</summary>
    private static List<Place> PlacesOf(byte[] json)
    {
        var places = new List<Place>();
        var open = new Stack<int>();
        Range? name = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 1 << 16 });
            while (reader.Read())
            {
                (int begin, int end) = ((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        name = begin..(begin + reader.ValueSpan.Length + 2);
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        int container = open.Pop();
                        places[container] = places[container] with { Value = places[container].Value.Start..end };
                        continue;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        open.Push(places.Count);
                        break;
                }
                places.Add(new Place(begin..end, name ?? default, places.Count == 0));
                name = null;
            }
        }
        catch (JsonException)
        {
            return [];
        }
        return places;
    }

    // A value, and its name where it is a member.
    private readonly record struct Place(Range Value, Range Name, bool IsRoot)
    {
        public bool IsMember => Name.End.Value > 0;

        public Range Whole => (IsMember ? Name : Value).Start..Value.End;
    }
}
