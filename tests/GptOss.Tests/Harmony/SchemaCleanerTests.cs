using System.Text.Json;
using GptOss.Harmony;

namespace GptOss.Tests.Harmony;

public sealed class SchemaCleanerTests
{
    [Theory]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"integer"}]}""", "x?: string | number,")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}],"description":"D"}""", "// D\nx?: string | null,")]
    [InlineData("""{"anyOf":[{"type":"string","enum":["a","b"]},{"type":"null"}]}""", "x?: \"a\" | \"b\" | null,")]
    [InlineData("""{"anyOf":[{"type":"string","description":"s"},{"type":"array","items":{"type":"number"}}]}""",
        "x?:\n | string // s\n | number[]\n,")]
    [InlineData("""{"allOf":[{"type":"integer"}],"description":"D"}""", "// D\nx?: number,")]
    [InlineData("""{"enum":["a","b"]}""", "x?: \"a\" | \"b\",")]
    [InlineData("""{"enum":["a",null]}""", "x?: \"a\" | null,")]
    [InlineData("""{"const":"a"}""", "x?: \"a\",")]
    [InlineData("""{"const":1}""", "x?: number,")]
    [InlineData("""{"type":["string","null"],"enum":["a",null]}""", "x?: \"a\" | null,")]
    [InlineData("""{"type":["object","null"],"properties":{"n":{"type":"integer"}}}""",
        "x?: {\n    n?: number,\n    } | null,")]
    [InlineData("""{"type":["string","integer"]}""", "x?: string | number,")]
    [InlineData("""{"type":"string","title":"x","default":null}""", "x?: string,")]
    [InlineData("""{"type":"string","title":"T"}""", "// T\n//\nx?: string,")]
    [InlineData("""{"type":"string","description":"one\r\ntwo\n"}""", "// one\n// two\nx?: string,")]
    [InlineData("""{"$ref":"#/$defs/city"}""", "// A city.\nx?: \"Oslo\",")]
    [InlineData("""{"$ref":"#/$defs/city","description":"Where."}""", "// Where.\nx?: \"Oslo\",")]
    [InlineData("""{"$ref":"#/$defs/no~1ne"}""", "x?: any,")]
    [InlineData("""{"$ref":"https://example.org/s.json"}""", "x?: any,")]
    [InlineData("""{"$ref":"#/$defs/tree"}""", "x?: {\n    children?: any[],\n    },")]
    public void A_schema_says_more_than_the_reference_would_write(string schema, string expected) =>
        Assert.Equal($"(_: {{\n{expected}\n}}) => any", Signature(
            $$$$$"""
            {"type":"object","title":"f","description":"Dropped.","properties":{"x":{{{{{schema}}}}}},"$defs":{
              "city":{"type":"string","enum":["Oslo"],"description":"A city."},
              "tree":{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#/$defs/tree"} } } } } }
            """));

    [Theory]
    [InlineData("""{"type":"object","properties":{}}""")]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{"title":"f","description":"D","type":"object","properties":{},"additionalProperties":false}""")]
    public void Parameters_without_a_property_are_none(string schema) => Assert.Equal("() => any", Signature(schema));

    [Fact]
    public void References_that_double_at_every_step_are_refused()
    {
        string definitions = string.Join(',', Enumerable.Range(0, 20).Select(i =>
            $$$$"""
            "d{{{{i}}}}":{"type":"object","properties":{"a":{"$ref":"#/$defs/d{{{{i + 1}}}}"},"b":{"$ref":"#/$defs/d{{{{i + 1}}}}"}}}
            """));
        Assert.Throws<HarmonyFormatException>(() => Signature($$$"""{"$ref":"#/$defs/d0","$defs":{{{{definitions}}}}}"""));
    }

    [Fact]
    public void What_the_cleaner_does_not_know_stays()
    {
        Assert.Equal("(_: any) => any", Signature("{}"));
        Assert.Equal("(_: any) => any", Signature("true"));
    }

    [Fact]
    public void Cleaning_happens_only_where_it_is_asked_for()
    {
        using JsonDocument schema = JsonDocument.Parse("""{"type":"object","properties":{}}""");
        var developer = new HarmonyContent.DeveloperInfo
        {
            Tools = [new ToolNamespace("functions", null, [new ToolFunction("f", "", schema.RootElement)])],
        };
        HarmonyMessage[] messages = [new(HarmonyRole.Developer, [developer])];
        var renderer = new HarmonyRenderer(Markup.Special);

        Assert.Contains("(_: {\n}) => any", Markup.Text(renderer.Render(messages)), StringComparison.Ordinal);
        Assert.Contains("f = () => any",
            Markup.Text(renderer.Render(messages, new RenderOptions { CleanSchemas = true })), StringComparison.Ordinal);
    }

    private static string Signature(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        ToolFunction cleaned = SchemaCleaner.Clean(new ToolFunction("f", "", document.RootElement.Clone()));
        string parameter = cleaned.Parameters is { } parameters ? "_: " + ToolSchemaWriter.Write(parameters) : "";
        return $"({parameter}) => any";
    }
}
