using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Harmony;

namespace GptOss.Tests.Harmony;

/// <summary>Whatever a tool's schema is, the model is shown its words, in a text that stays within its lines.</summary>
public sealed class SchemaNamesTests
{
    [Fact]
    public void Every_name_and_every_value_of_a_schema_stands_in_a_well_formed_text()
    {
        for (int seed = 0; seed < 400; seed++)
        {
            var draw = new SchemaDraw(seed);
            string schema = draw.Root().ToJsonString();

            string? type = Parameters(schema, out string? shortened);
            TypeScriptText? read = null;
            try
            {
                read = TypeScriptText.Read(type ?? "any");
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e.Message}\n{schema}\n{type}");
            }
            string[] lost = [.. draw.Names.Except(read.Names), .. draw.Values.Except(read.Values)];
            Assert.True(
                shortened is null && lost.Length == 0,
                $"seed {seed} lost {string.Join(" ", lost)} {shortened}\n{schema}\n{type}"
            );
        }
    }

    [Theory]
    [InlineData("""{"type":"object","items":{"properties":{"n1":{"const":"v1"}}}}""")]
    [InlineData("""{"type":["object","null"],"contains":{"properties":{"n1":{"enum":["v1"]}}}}""")]
    [InlineData(
        """{"properties":{"n1":{"prefixItems":[{"type":"string"}],"items":[{"type":"number"},{"const":"v1"}]}}}"""
    )]
    [InlineData(
        """{"properties":{"l":{"items":{"type":"string"},"additionalItems":{"properties":{"n1":{"const":"v1"}}}}}}"""
    )]
    public void Schemas_that_contradict_themselves_or_mix_drafts_lose_nothing(string schema)
    {
        string? type = Parameters(schema, out _);
        Assert.Contains("n1", type);
        Assert.Contains("v1", type);
    }

    [Fact]
    public void What_depends_on_others_is_shown_as_far_as_there_is_room_and_in_a_time_that_grows_with_its_number()
    {
        Read(500);
        (double few, _) = Read(500);
        (double many, string? type) = Enumerable.Range(0, 3).Select(_ => Read(20_000)).MinBy(read => read.Item1);

        Assert.True(many < 40 * 8 * Math.Max(few, 0.002), $"{few:F3} s, then {many:F3} s for 40 times as many.");
        Assert.Contains("q4000", type);
        Assert.Contains(
            "q4",
            Parameters(
                "{\"dependentSchemas\":{"
                    + Many(12_000, i => $"\"p{i}\":{{\"properties\":{{\"q{i}\":{{\"type\":\"string\"}}}}}}")
                    + "}}",
                out string? shortened
            )
        );
        Assert.Contains("more than 10,000 parts", shortened);

        static (double, string?) Read(int count)
        {
            string schema = "{\"dependentRequired\":{" + Many(count, i => $"\"p{i}\":[\"q{i}\"]") + "}}";
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            string? type = Parameters(schema, out _);
            return (System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, type);
        }

        static string Many(int count, Func<int, string> one) =>
            string.Join(",", Enumerable.Range(0, count).Select(one));
    }

    [Fact]
    public void A_plain_schema_is_written_as_the_reference_writes_it()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            using JsonDocument schema = JsonDocument.Parse(PlainObject(new Random(seed), 0).ToJsonString());

            string? type = SchemaCleaner.Parameters(new ToolFunction("f", "", schema.RootElement));

            string expected = ToolSchemaWriter.Write(schema.RootElement, out _);
            Assert.True(expected == type, $"seed {seed}\n{schema.RootElement}\n{expected}\n{type}");
        }
    }

    public static TheoryData<string> Published => [.. PublishedSchemas.Files];

    [Theory, MemberData(nameof(Published))]
    public void Published_schemas_keep_their_names_and_values(string file)
    {
        Assert.SkipUnless(PublishedSchemas.Exist(file), "The published schemas are not part of the repository.");
        foreach ((string id, JsonElement schema) in PublishedSchemas.Read(file))
        {
            string? type = SchemaCleaner.Parameters(new ToolFunction("f", "", schema));
            TypeScriptText read = TypeScriptText.Read(type ?? "any");
            PublishedSchemas words = PublishedSchemas.Words(schema);
            string[] lost = [.. words.Names.Except(read.Names), .. words.Values.Except(read.Values)];
            Assert.True(lost.Length == 0, $"{id} lost {string.Join(" ", lost)}\n{schema}\n{type}");
        }
    }

    private static string? Parameters(string schema, out string? shortened)
    {
        using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 1000 });
        string? note = null;
        string? type = SchemaCleaner.Parameters(new ToolFunction("f", "", document.RootElement), text => note = text);
        shortened = note;
        return type;
    }

    private static JsonObject PlainObject(Random random, int depth)
    {
        var properties = new JsonObject();
        for (int i = random.Next(4); i >= 0; i--)
            properties[$"p-{i}"] = Plain(random, depth + 1);
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray([
                .. properties.Select(p => p.Key).Where(_ => random.Next(2) == 0).Select(name => JsonValue.Create(name)),
            ]),
            ["additionalProperties"] = false,
        };
    }

    // A choice or null within an array is not written as by the reference, which has no parentheses there.
    private static JsonObject Plain(Random random, int depth, bool item = false)
    {
        JsonObject schema = random.Next(
            depth > 3 ? 5
            : item ? 7
            : 8
        ) switch
        {
            0 => new JsonObject { ["type"] = "string", ["minLength"] = 1 },
            1 => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("red", "green and blue") },
            2 => new JsonObject { ["type"] = "integer", ["maximum"] = 3 },
            3 => new JsonObject { ["type"] = "boolean" },
            4 => new JsonObject { ["type"] = new JsonArray("string", "integer") },
            5 => new JsonObject { ["type"] = "array", ["items"] = Plain(random, depth + 1, item: true) },
            6 => PlainObject(random, depth),
            _ => new JsonObject
            {
                ["oneOf"] = new JsonArray(
                    new JsonObject { ["type"] = "string", ["default"] = "x" },
                    new JsonObject { ["type"] = "number", ["description"] = "How many." },
                    PlainObject(random, depth)
                ),
            },
        };
        if (depth > 0 && schema["oneOf"] is null && random.Next(3) == 0)
            schema["default"] = schema["enum"] is null ? JsonNode.Parse("""["x",1.50]""") : "red";
        if (random.Next(3) == 0)
            schema["title"] = "A title";
        if (random.Next(3) == 0)
            schema["description"] = "What it is.";
        if (random.Next(3) == 0)
            schema["examples"] = new JsonArray("one", "two");
        if (
            !item
            && random.Next(3) == 0
            && schema["type"] is JsonValue type
            && type.GetValue<string>() is "string" or "integer" or "boolean"
        )
            schema["nullable"] = true;
        return schema;
    }
}
