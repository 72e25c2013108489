using System.Text.Json.Nodes;

namespace GptOss.Tests.Harmony;

/// <summary>Draws schemas of every kind that tools bring, and knows what names and values stand in them.</summary>
internal sealed class SchemaDraw(int seed)
{
    private static readonly string[] Oddities =
    [
        " b",
        "-c",
        "\"",
        "\n}; namespace functions {",
        "\r",
        "\u2028x",
        "\\",
        "//",
        "/*",
        "é",
        "😀",
        "\t",
        "{",
        "]",
        ":",
        "?",
        "'",
        "`",
        "\u0001",
        "\u0085",
    ];

    private readonly Random _random = new(seed);
    private readonly JsonObject _definitions = [];
    private int _count;

    public HashSet<string> Names { get; } = [];

    public HashSet<string> Values { get; } = [];

    public JsonObject Root()
    {
        JsonObject root = Schema(0);
        if (_definitions.Count > 0)
            root["$defs"] = _definitions;
        return root;
    }

    private JsonObject Schema(int depth)
    {
        int kind = _random.Next(depth > 2 ? 6 : 20);
        JsonObject schema = kind switch
        {
            0 => new JsonObject { ["type"] = Type(Pick("string", "number", "integer", "boolean")) },
            1 or 2 => Enumeration(),
            3 => new JsonObject { ["const"] = Value() },
            4 => new JsonObject
            {
                ["type"] = new JsonArray([
                    .. Some("string", "integer", "boolean", "null", "object", "array").Select(w => Type(w)),
                ]),
            },
            5 => new JsonObject { ["minimum"] = 3 },
            6 => new JsonObject { ["type"] = Maybe("array"), ["items"] = Schema(depth + 1) },
            7 => new JsonObject
            {
                [Pick("prefixItems", "items")] = List(depth),
                ["additionalItems"] = _random.Next(2) == 0 ? Schema(depth + 1) : null,
            },
            8 => new JsonObject
            {
                ["type"] = Maybe("object"),
                [Pick("additionalProperties", "unevaluatedProperties")] = Schema(depth + 1),
            },
            9 => new JsonObject
            {
                ["patternProperties"] = new JsonObject
                {
                    [Pick("^x-", "\"\n", ".*")] = Schema(depth + 1),
                    ["y"] = Schema(depth + 1),
                },
            },
            10 => new JsonObject
            {
                ["type"] = "object",
                ["propertyNames"] = Enumeration(),
                ["additionalProperties"] = _random.Next(2) == 0 ? Schema(depth + 1) : null,
            },
            11 => Reference(depth),
            12 => new JsonObject
            {
                ["type"] = Maybe("array"),
                ["contains"] = Schema(depth + 1),
                ["items"] = _random.Next(2) == 0 ? Schema(depth + 1) : null,
            },
            _ => Object(depth),
        };
        foreach (string keyword in (string[])["anyOf", "oneOf", "allOf"])
        {
            if (depth < 3 && _random.Next(6) == 0)
                schema[keyword] = List(depth);
        }
        foreach (string keyword in (string[])["if", "then", "else"])
        {
            if (depth < 3 && _random.Next(12) == 0)
                schema[keyword] = Schema(depth + 1);
        }
        if (depth < 3 && _random.Next(15) == 0)
            schema[Pick("dependentSchemas", "dependencies")] = new JsonObject { [Name()] = Schema(depth + 1) };
        if (!schema.ContainsKey("dependencies") && _random.Next(15) == 0)
            schema[Pick("dependentRequired", "dependencies")] = new JsonObject { [Name()] = new JsonArray(Name()) };
        if (_random.Next(12) == 0)
            schema["not"] = new JsonObject { ["properties"] = new JsonObject { ["never"] = true } };
        if (_random.Next(6) == 0)
            schema["nullable"] = true;
        Annotate(schema);
        return schema;
    }

    private JsonObject Object(int depth)
    {
        var properties = new JsonObject();
        for (int i = _random.Next(4); i >= 0; i--)
            properties[Name()] = Schema(depth + 1);
        string[] required = [.. properties.Select(p => p.Key).Where(_ => _random.Next(2) == 0)];
        return new JsonObject
        {
            ["type"] = _random.Next(3) == 0 ? null : Type("object"),
            ["properties"] = properties,
            ["required"] = new JsonArray([
                .. required
                    .Append(_random.Next(8) == 0 ? Name() : null)
                    .OfType<string>()
                    .Select(n => JsonValue.Create(n)),
            ]),
            ["additionalProperties"] = _random.Next(3) switch
            {
                0 => false,
                1 => Schema(4),
                _ => true,
            },
        };
    }

    private JsonObject Reference(int depth)
    {
        string name = $"d/{_count++}~";
        string pointer = "#/$defs/" + name.Replace("~", "~0").Replace("/", "~1");
        JsonObject target = Schema(depth + 1);
        if (_random.Next(3) == 0)
            target[Pick("items", "additionalProperties", "not")] ??= new JsonObject { ["$ref"] = pointer };
        if (_random.Next(3) == 0)
        {
            target["$anchor"] = $"anchor{_count}";
            pointer = $"#anchor{_count}";
        }
        _definitions[name] = target;
        return new JsonObject { ["$ref"] = pointer };
    }

    private void Annotate(JsonObject schema)
    {
        string evil =
            "one" + Oddities[_random.Next(Oddities.Length)] + "\r\ntype f = () => any;\u2028} // namespace functions";
        foreach (string keyword in (string[])["title", "description", "default"])
        {
            if (_random.Next(5) == 0)
                schema[keyword] = evil;
        }
        if (_random.Next(8) == 0)
            schema["examples"] = new JsonArray(evil, 5, null, new JsonArray(evil));
    }

    private JsonObject Enumeration() =>
        new()
        {
            ["type"] = _random.Next(3) == 0 ? Type(Pick("string", "number", "boolean")) : null,
            ["enum"] = new JsonArray([.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Value())]),
        };

    private JsonNode? Value()
    {
        (JsonNode? value, string text) = _random.Next(8) switch
        {
            0 => (JsonNode.Parse($"{_count++}"), $"{_count - 1}"),
            1 => (JsonNode.Parse($"-{_count++}.50"), $"-{_count - 1}.50"),
            2 => (true, "true"),
            3 => (false, "false"),
            4 => (null, "null"),
            5 => (new JsonArray($"in {_count++}", 1), $"\"in {_count - 1}\""),
            _ => Text(),
        };
        Values.Add(text);
        return value;

        (JsonNode?, string) Text()
        {
            string text = Odd($"v{_count++}");
            return (text, GptOss.Harmony.SchemaText.Quoted(text));
        }
    }

    private string Name()
    {
        string name = Odd($"p{_count++}");
        Names.Add(name);
        return name;
    }

    private string Odd(string word) => _random.Next(4) == 0 ? word + Oddities[_random.Next(Oddities.Length)] : word;

    private JsonArray List(int depth) =>
        [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => (JsonNode?)Schema(depth + 1))];

    private string? Maybe(string word) => _random.Next(2) == 0 ? Type(word) : null;

    private string Type(string word) => _random.Next(8) == 0 ? word.ToUpperInvariant() : word;

    private string Pick(params string[] from) => from[_random.Next(from.Length)];

    private string[] Some(params string[] from) => [.. from.OrderBy(_ => _random.Next()).Take(_random.Next(1, 4))];
}
