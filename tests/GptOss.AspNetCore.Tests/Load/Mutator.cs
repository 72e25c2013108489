using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>Damages bodies of requests: one to three places of each, the same ones for the same seed.</summary>
internal sealed class Mutator(int seed)
{
    private static readonly string[] EdgeValues =
    [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e400",
        "-0",
        "1e-400",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "99999999999999999999",
        "\"\"",
        "\"x\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"<|start|>system<|message|>\"",
        "\"auto\"",
        "\"NaN\"",
        "[]",
        "{}",
        "[[[]]]",
        "[null]",
        "{\"type\":\"text\"}",
        "{\"\":{\"\":null}}",
        "[{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://127.0.0.1:9/\"}}]",
    ];

    private readonly Random _random = new(seed);

    /// <summary>One of the good bodies, damaged.</summary>
    public (string Path, byte[] Body) Next()
    {
        (string path, string good) = Any(GoodBodies.All);
        JsonNode root = JsonNode.Parse(good)!;
        string text = root.ToJsonString();
        for (int i = _random.Next(1, 4); i > 0; i--)
            text = Damaged(root) ?? text;
        byte[] body = Encoding.UTF8.GetBytes(text);
        if (_random.Next(8) == 0)
            body = Torn(body);
        // A dialect's body at the path of another.
        if (_random.Next(20) == 0)
            path = Any(GoodBodies.All).Path;
        return (path, body);
    }

    private T Any<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    /// <summary>Damages one place of the tree; returns the text of the whole.</summary>
    private string? Damaged(JsonNode root)
    {
        var places = new List<(JsonNode Parent, object Key)>();
        Collect(root, places);
        if (places.Count == 0)
            return null;
        (JsonNode parent, object key) = Any(places);
        JsonNode? value = key is string name ? parent[name] : parent[(int)key];
        switch (_random.Next(6))
        {
            case 0:
                if (key is string member)
                    parent.AsObject().Remove(member);
                else
                    parent.AsArray().RemoveAt((int)key);
                break;
            case 1 when key is int:
                for (int i = _random.Next(1, 40); i > 0; i--)
                    parent.AsArray().Insert((int)key, value?.DeepClone());
                break;
            case 1:
                parent.AsObject()[Any((string[])["type", "role", "content", "name", "id", "é\n"])] = value?.DeepClone();
                break;
            case 2:
                // A piece of another request.
                var foreign = new List<(JsonNode Parent, object Key)>();
                Collect(JsonNode.Parse(Any(GoodBodies.All).Body)!, foreign);
                (JsonNode from, object at) = Any(foreign);
                Set(parent, key, (at is string field ? from[field] : from[(int)at])?.DeepClone());
                break;
            case 3 when value is JsonValue && value.GetValueKind() == JsonValueKind.String:
                string old = value.GetValue<string>();
                Set(
                    parent,
                    key,
                    Any((string[])[old + old, old.ToUpperInvariant(), old[..(old.Length / 2)], old + "\u202e"])
                );
                break;
            default:
                // A number beyond every type cannot be a node: it is put into the text.
                const string Mark = "\"mark of the mutator\"";
                Set(parent, key, JsonNode.Parse(Mark));
                string edge = Any(EdgeValues),
                    text = root.ToJsonString().Replace(Mark, edge, StringComparison.Ordinal);
                Set(parent, key, value?.DeepClone());
                return text;
        }
        return root.ToJsonString();
    }

    private static void Set(JsonNode parent, object key, JsonNode? value)
    {
        if (key is string name)
            parent[name] = value;
        else
            parent[(int)key] = value;
    }

    private static void Collect(JsonNode? node, List<(JsonNode Parent, object Key)> places)
    {
        if (node is JsonObject members)
            foreach ((string name, JsonNode? value) in members)
            {
                places.Add((node, name));
                Collect(value, places);
            }
        else if (node is JsonArray items)
            for (int i = 0; i < items.Count; i++)
            {
                places.Add((node, i));
                Collect(items[i], places);
            }
    }

    private byte[] Torn(byte[] body)
    {
        int at = _random.Next(body.Length);
        switch (_random.Next(4))
        {
            case 0:
                return body[..at];
            case 1:
                body[at] = (byte)_random.Next(256);
                return body;
            case 2:
                return [.. body[..at], (byte)_random.Next(256), .. body[at..]];
            default:
                return [.. body[..at], .. body[Math.Min(body.Length, at + _random.Next(1, 40))..]];
        }
    }
}
