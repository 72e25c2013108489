using System.Text.Json.Nodes;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>
/// Small random schemas of few names and values, so that keywords meet each other, and random values for them.
/// </summary>
internal sealed class RandomSchemas(Random random)
{
    private const int Depth = 3;

    private static readonly string[] Names = ["a", "b", "c", "ab"];
    private static readonly string[] Types = ["null", "boolean", "integer", "number", "string", "array", "object"];
    private static readonly string[] NamePatterns = ["^a", "b$", "c"];
    private static readonly string[] TextPatterns = ["^a", "b$", "a", "^(a|b)*$", "^.{1,2}$", "^[ab]{2,30}$"];

    /// <summary>A schema with a definition that it may refer to.</summary>
    public JsonObject Schema()
    {
        JsonObject schema = Keywords(Depth);
        schema["$defs"] = new JsonObject { ["d"] = Any(Depth - 1) };
        return schema;
    }

    /// <summary>A value that has a fair chance to fit such a schema.</summary>
    public JsonNode? Value(int depth = Depth)
    {
        switch (random.Next(depth == 0 ? 7 : 13))
        {
            case 0:
                return null;
            case 1:
                return random.Next(2) == 0;
            case 2 or 3:
                return random.Next(-4, 5);
            case 4:
                return random.Next(-4, 5) + 0.5;
            case 5 or 6:
                return string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => "abc"[random.Next(3)]));
            case < 10:
                return new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(depth - 1))]);
            default:
                var members = new JsonObject();
                foreach (string name in Names.Where(_ => random.Next(2) == 0))
                    members[name] = Value(depth - 1);
                return members;
        }
    }

    private JsonNode Any(int depth)
    {
        if (depth > 0 && random.Next(8) > 0)
            return Keywords(depth);
        return random.Next(7) switch
        {
            0 => JsonValue.Create(random.Next(3) > 0),
            1 => new JsonObject { ["$ref"] = random.Next(3) == 0 ? "#" : "#/$defs/d" },
            _ => new JsonObject { ["type"] = Type() },
        };
    }

    private JsonObject Keywords(int depth)
    {
        var schema = new JsonObject();
        for (int count = 1 + random.Next(3); count > 0; count--)
        {
            (string keyword, JsonNode? value) = random.Next(4) switch
            {
                0 => Scalar(),
                1 => Combination(depth - 1),
                2 => Array(depth - 1),
                _ => Object(depth - 1),
            };
            schema[keyword] = value;
        }
        return schema;
    }

    private (string, JsonNode?) Scalar() =>
        random.Next(9) switch
        {
            0 or 1 => ("type", Type()),
            2 => ("enum", new JsonArray([.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Value(1))])),
            3 => ("const", Value(2)),
            4 => (Pick("minimum", "exclusiveMinimum"), random.Next(-3, 4)),
            5 => (Pick("maximum", "exclusiveMaximum"), random.Next(-3, 4) + 0.5),
            6 => ("multipleOf", new[] { 1, 2, 0.5, 1.5 }[random.Next(4)]),
            7 => (Pick("minLength", "maxLength"), random.Next(3)),
            _ => ("pattern", Pick(TextPatterns)),
        };

    private (string, JsonNode?) Combination(int depth) =>
        random.Next(8) switch
        {
            0 => ("anyOf", Schemas(depth, 3)),
            1 or 2 => ("oneOf", Schemas(depth, 3)),
            3 => ("allOf", Schemas(depth, 2)),
            4 => ("not", Any(depth)),
            5 => ("if", Any(depth)),
            6 => (Pick("then", "else"), Any(depth)),
            _ => ("$ref", "#/$defs/d"),
        };

    private (string, JsonNode?) Array(int depth) =>
        random.Next(8) switch
        {
            0 or 1 => ("items", Any(depth)),
            2 => ("prefixItems", Schemas(depth, 2)),
            3 => ("minItems", random.Next(3)),
            4 => ("maxItems", random.Next(4)),
            5 => ("contains", Any(depth)),
            6 => (Pick("minContains", "maxContains"), random.Next(3)),
            _ => ("uniqueItems", true),
        };

    private (string, JsonNode?) Object(int depth) =>
        random.Next(10) switch
        {
            0 or 1 or 2 => ("properties", Properties(depth)),
            3 => (
                "required",
                new JsonArray([.. Names.Where(_ => random.Next(3) == 0).Select(name => (JsonNode?)name)])
            ),
            4 or 5 => ("additionalProperties", random.Next(2) == 0 ? false : Any(depth)),
            6 => ("patternProperties", new JsonObject { [Pick(NamePatterns)] = Any(depth) }),
            7 => ("propertyNames", new JsonObject { ["pattern"] = Pick(NamePatterns) }),
            8 => (Pick("minProperties", "maxProperties"), random.Next(3)),
            _ => random.Next(2) == 0
                ? ("dependentRequired", new JsonObject { [Pick(Names)] = new JsonArray(Pick(Names)) })
                : ("dependentSchemas", new JsonObject { [Pick(Names)] = Any(depth) }),
        };

    private JsonObject Properties(int depth)
    {
        var properties = new JsonObject();
        for (int count = 1 + random.Next(3); count > 0; count--)
            properties[Pick(Names)] = Any(depth);
        return properties;
    }

    private JsonArray Schemas(int depth, int most) =>
        [.. Enumerable.Range(0, 1 + random.Next(most)).Select(_ => Any(depth))];

    private JsonNode Type() => random.Next(5) == 0 ? new JsonArray(Pick(Types), Pick(Types)) : Pick(Types);

    private string Pick(params string[] words) => words[random.Next(words.Length)];
}
