using System.Text.Json.Nodes;

namespace GptOss.Tests.Constraints;

/// <summary>
/// Schemas from a seed that together use every keyword which an answer can be held to, nested six deep, one in five
/// recursive. Nearly all of them allow a value.
/// </summary>
internal sealed class WildSchemas(Random random)
{
    private const int Deepest = 6;

    private static readonly string[] Names = ["id", "name", "na", "tags", "a b", "größe", "q\"t", "x-1", "x-2", "next"];
    private static readonly string[] Formats =
    [
        "date",
        "date-time",
        "duration",
        "uuid",
        "ipv4",
        "ipv6",
        "email",
        "hostname",
        "uri",
        "uri-reference",
        "json-pointer",
        "relative-json-pointer",
    ];
    private static readonly string[] Patterns =
    [
        "^[a-z]{1,4}$",
        "^(ab|cd){0,3}$",
        "^[^a-y\"]{2}$",
        @"^\d{3}-[A-Z]{2,4}$",
        "^(?!00)[0-9]{2,5}$",
        "^(?:yes|no|y|n)$",
        "^[äöü]{1,3}$",
    ];

    private bool _isRecursive;

    /// <summary>Whether every value of the last schema is short: no list, text or object of it can grow for ever.</summary>
    public bool IsBounded { get; private set; }

    /// <summary>A schema of any values.</summary>
    public JsonObject Schema() => Rooted(() => random.Next(3) == 0 ? Value(Deepest) : Object(Deepest));

    /// <summary>A schema of objects, as a function has for its arguments.</summary>
    public JsonObject Parameters(int depth = 2) => Rooted(() => Object(depth));

    private JsonObject Rooted(Func<JsonObject> draw)
    {
        IsBounded = true;
        _isRecursive = random.Next(5) == 0;
        JsonObject schema = draw();
        schema["$defs"] = new JsonObject { ["leaf"] = Scalar(), ["node"] = Node() };
        if (random.Next(4) == 0)
            schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        if (random.Next(4) == 0)
            (schema["title"], schema["description"], schema["x-mark"]) = ("Wild", "Drawn from a seed.", 1);
        return schema;
    }

    private JsonObject Node() =>
        new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["value"] = Scalar(),
                ["left"] = _isRecursive ? Reference("#/$defs/node") : Scalar(),
                ["more"] = new JsonObject
                {
                    ["type"] = "array",
                    ["items"] = _isRecursive ? Reference("#/$defs/node") : Scalar(),
                    ["maxItems"] = 2,
                },
            },
            ["required"] = new JsonArray("value"),
        };

    private JsonObject Reference(string pointer)
    {
        IsBounded &= !_isRecursive;
        return new() { ["$ref"] = pointer };
    }

    private JsonObject Value(int depth)
    {
        if (depth <= 0)
            return Scalar();
        return random.Next(10) switch
        {
            0 or 1 => Scalar(),
            2 or 3 => Array(depth - 1),
            4 or 5 or 6 => Object(depth - 1),
            7 => Reference(random.Next(2) == 0 ? "#/$defs/leaf" : "#/$defs/node"),
            _ => Combination(depth - 1),
        };
    }

    private JsonObject Scalar() =>
        random.Next(12) switch
        {
            0 => new() { ["type"] = Pick("boolean", "null") },
            1 => new() { ["const"] = Literal() },
            2 => new() { ["enum"] = Distinct() },
            3 => new() { ["type"] = new JsonArray("integer", "null", "boolean"), ["minimum"] = random.Next(5) },
            4 or 5 or 6 => Number(),
            7 => new()
            {
                ["type"] = "string",
                ["maxLength"] = 5,
                ["nullable"] = true,
            },
            _ => Text(),
        };

    private JsonObject Text()
    {
        var text = new JsonObject { ["type"] = "string" };
        switch (random.Next(7))
        {
            case 0:
                int least = random.Next(4);
                (text["minLength"], text["maxLength"]) = (least, least + random.Next(6));
                break;
            case 1:
                text["pattern"] = Pick(Patterns);
                break;
            case 2:
                (text["pattern"], text["minLength"], text["maxLength"]) = ("[a-f]", 2, 9);
                break;
            case 3:
                (text["contentEncoding"], text["maxLength"]) = ("base64", 12);
                break;
            case 4:
                IsBounded = false;
                break;
            default:
                IsBounded = false; // an email or an address has no longest
                text["format"] = Pick(Formats);
                break;
        }
        return text;
    }

    private JsonObject Number()
    {
        int least = random.Next(-9, 9);
        return random.Next(7) switch
        {
            0 => new() { ["type"] = Pick("integer", "number") },
            1 => new()
            {
                ["type"] = "integer",
                ["minimum"] = least,
                ["maximum"] = least + random.Next(2_000),
            },
            2 => new()
            {
                ["type"] = "number",
                ["exclusiveMinimum"] = least + 0.25,
                ["maximum"] = least + 1.5,
            },
            3 => new()
            {
                ["type"] = "number",
                ["minimum"] = $"{least}",
                ["exclusiveMaximum"] = $"{least + 3}",
            },
            4 => new()
            {
                ["type"] = "integer",
                ["multipleOf"] = 3,
                ["minimum"] = least,
            },
            5 => new()
            {
                ["type"] = "number",
                ["multipleOf"] = 0.25,
                ["minimum"] = -4,
                ["maximum"] = 100,
            },
            _ => new() { ["type"] = "integer", ["format"] = Pick("int32", "uint8", "int16", "int64") },
        };
    }

    private JsonObject Array(int depth)
    {
        int least = random.Next(3);
        var array = new JsonObject
        {
            ["type"] = "array",
            ["minItems"] = least,
            ["maxItems"] = least + random.Next(3),
        };
        switch (random.Next(8))
        {
            case 0 or 1:
                array["items"] = Value(depth);
                break;
            case 2:
                array["items"] = Scalar();
                array.Remove("maxItems");
                IsBounded = false;
                break;
            case 3:
                (array["prefixItems"], array["items"]) = (new JsonArray(Value(depth), Scalar()), Scalar());
                break;
            case 4:
                (array["items"], array["additionalItems"]) = (new JsonArray(Value(depth)), Scalar());
                break;
            case 5:
                array["items"] = new JsonObject
                {
                    ["type"] = "integer",
                    ["minimum"] = 0,
                    ["maximum"] = 20,
                };
                array["uniqueItems"] = true;
                break;
            case 6:
                array["items"] = new JsonObject { ["enum"] = new JsonArray(1, 2, "x") };
                (array["contains"], array["minContains"]) = (new JsonObject { ["const"] = "x" }, 1);
                (array["maxContains"], array["minItems"], array["maxItems"]) = (2, 1, 4);
                break;
            default:
                (array["prefixItems"], array["unevaluatedItems"]) = (new JsonArray(Value(depth), Scalar()), false);
                (array["minItems"], array["maxItems"]) = (0, 2);
                break;
        }
        return array;
    }

    private JsonObject Object(int depth)
    {
        var properties = new JsonObject();
        for (int count = 1 + random.Next(4); count > 0; count--)
            properties[Pick(Names)] = Value(depth);
        string[] names = [.. properties.Select(property => property.Key)];
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (random.Next(2) == 0)
            schema["required"] = new JsonArray([.. names.Where(_ => random.Next(2) == 0).Select(Node)]);
        switch (random.Next(11))
        {
            case 0 or 1:
                schema["additionalProperties"] = false;
                break;
            case 2:
                (schema["additionalProperties"], schema["maxProperties"]) = (Scalar(), names.Length + 2);
                IsBounded = false; // their names have no longest
                break;
            case 3:
                schema["patternProperties"] = new JsonObject { ["^x-[0-9]$"] = Value(depth) };
                break;
            case 4:
                (schema["additionalProperties"], schema["maxProperties"]) = (Scalar(), names.Length + 1);
                schema["propertyNames"] = new JsonObject { ["maxLength"] = 6 };
                break;
            case 5:
                (schema["minProperties"], schema["maxProperties"]) = (1, names.Length);
                break;
            case 6:
                schema["dependentRequired"] = new JsonObject { [names[0]] = new JsonArray(names[^1]) };
                break;
            case 7:
                var needed = new JsonObject { ["required"] = new JsonArray(names[^1]) };
                schema["dependentSchemas"] = new JsonObject { [names[0]] = needed };
                break;
            case 8:
                schema["dependencies"] = new JsonObject { [names[0]] = new JsonArray(names[^1]) };
                break;
            case 9:
                schema["unevaluatedProperties"] = false;
                break;
            default:
                break;
        }
        return schema;
        static JsonNode? Node(string name) => name;
    }

    private JsonObject Combination(int depth) =>
        random.Next(8) switch
        {
            0 => new() { ["anyOf"] = new JsonArray(Value(depth), Scalar(), Scalar()) },
            1 or 2 => new() { ["oneOf"] = new JsonArray(Kind("cat", depth), Kind("dog", depth)) },
            3 => new() { ["allOf"] = new JsonArray(Object(depth), Open("id"), Open("tags")) },
            4 => new()
            {
                ["type"] = new JsonArray("integer", "boolean"),
                ["not"] = new JsonObject { ["const"] = 3 },
            },
            5 => new()
            {
                ["type"] = "integer",
                ["minimum"] = 0,
                ["maximum"] = 300,
                ["if"] = new JsonObject { ["maximum"] = 50 },
                ["then"] = new JsonObject { ["multipleOf"] = 2 },
                ["else"] = new JsonObject { ["minimum"] = 100 },
            },
            6 => new()
            {
                ["oneOf"] = new JsonArray(new JsonObject { ["type"] = "string", ["maxLength"] = 4 }, Number()),
            },
            _ => Neighbour(),
        };

    private JsonObject Neighbour()
    {
        JsonObject schema = Reference("#/$defs/node");
        schema["required"] = new JsonArray("left");
        schema["description"] = "A node that has a left one.";
        return schema;
    }

    // One of the kinds that a property tells apart.
    private JsonObject Kind(string kind, int depth) =>
        new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["kind"] = new JsonObject { ["const"] = kind },
                ["of"] = Value(depth),
            },
            ["required"] = new JsonArray("kind"),
        };

    // A part of a conjunction that asks nothing of a property but what the other parts ask.
    private JsonObject Open(string name)
    {
        IsBounded = false; // where no other part asks anything, any value may come
        return new() { ["properties"] = new JsonObject { [name] = true } };
    }

    private JsonNode? Literal() =>
        random.Next(6) switch
        {
            0 => null,
            1 => random.Next(2) == 0,
            2 => random.Next(-20, 20),
            3 => 2.5,
            4 => new JsonArray(1, "two"),
            _ => Pick("a", "b\"c", "zürich", ""),
        };

    private JsonArray Distinct() => new(1, "one", Pick("red", "re", "reddish"), null, -1.5, true);

    private string Pick(params string[] words) => words[random.Next(words.Length)];
}
