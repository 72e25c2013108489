using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Harmony;

public sealed class SchemaCleanerTests
{
    [Theory]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"integer"}]}""", "x?: string | number,")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}],"description":"D"}""", "// D\nx?: string | null,")]
    [InlineData("""{"anyOf":[{"type":"string","enum":["a","b"]},{"type":"null"}]}""", "x?: \"a\" | \"b\" | null,")]
    [InlineData(
        """{"anyOf":[{"type":"string","description":"s"},{"type":"array","items":{"type":"number"}}]}""",
        "x?:\n | string // s\n | number[]\n,"
    )]
    [InlineData("""{"allOf":[{"type":"integer"}],"description":"D"}""", "// D\nx?: number,")]
    [InlineData("""{"enum":["a","b"]}""", "x?: \"a\" | \"b\",")]
    [InlineData("""{"enum":["a",null]}""", "x?: \"a\" | null,")]
    [InlineData("""{"const":"a"}""", "x?: \"a\",")]
    [InlineData("""{"const":1}""", "x?: 1,")]
    [InlineData("""{"type":["string","null"],"enum":["a",null]}""", "x?: \"a\" | null,")]
    [InlineData(
        """{"type":["object","null"],"properties":{"n":{"type":"integer"}}}""",
        "x?: {\n    n?: number,\n    } | null,"
    )]
    [InlineData("""{"type":["string","integer"]}""", "x?: string | number,")]
    [InlineData("""{"type":"string","title":"x","default":null}""", "x?: string,")]
    [InlineData("""{"type":"string","title":"T"}""", "// T\n//\nx?: string,")]
    [InlineData("""{"type":"string","description":"one\r\ntwo\n"}""", "// one\n// two\nx?: string,")]
    [InlineData("""{"$ref":"#/$defs/city"}""", "// A city.\nx?: \"Oslo\",")]
    [InlineData("""{"$ref":"#/$defs/city","description":"Where."}""", "// Where.\nx?: \"Oslo\",")]
    [InlineData("""{"$ref":"#/$defs/no~1ne"}""", "x?: any,")]
    [InlineData("""{"$ref":"https://example.org/s.json"}""", "x?: any,")]
    [InlineData("""{"$ref":"#/$defs/tree"}""", "x?: {\n    children?: any[],\n    },")]
    [InlineData("""{"$ref":"#"}""", "x?: any,")]
    [InlineData("""{"$ref":"#town"}""", "// A city.\nx?: \"Oslo\",")]
    [InlineData("""{"type":"OBJECT","additionalProperties":{"type":"Integer"}}""", "x?: { [key: string]: number },")]
    [InlineData(
        """{"additionalProperties":{"type":"array","items":{"type":"string"}},"propertyNames":{"enum":["a","b"]}}""",
        "x?: { [key: \"a\" | \"b\"]: string[] },"
    )]
    [InlineData(
        """{"type":"object","patternProperties":{"^x-":{"type":"string","description":"D"}},"properties":{"n":{"type":"integer"}}}""",
        "x?: {\n    n?: number,\n    // keys that match \"^x-\"\n    // D\n    [key: string]: string,\n    },"
    )]
    [InlineData(
        """{"properties":{"n":{"minimum":1}},"required":["n","m"]}""",
        "x?: {\n    n: number,\n    m: any,\n    },"
    )]
    [InlineData(
        """{"properties":{"id":{},"name":{}},"anyOf":[{"required":["id"]},{"required":["name"]}]}""",
        "x?: {\n    id?: any,\n    name?: any,\n    },"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{}},"anyOf":[{"properties":{"b":{}},"required":["b"]},{"properties":{"c":{}}}]}""",
        "x?:\n | {\n   a?: any,\n   b: any,\n   }\n | {\n   a?: any,\n   c?: any,\n   }\n,"
    )]
    [InlineData(
        """{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"a":{"enum":["v"]},"b":{}}}]}""",
        "x?: {\n    a: \"v\",\n    b?: any,\n    },"
    )]
    [InlineData(
        """{"properties":{"k":{"type":"string"}},"if":{"properties":{"k":{"const":"a"}}},"then":{"properties":{"l":{}},"required":["l"]}}""",
        "x?: {\n    k?:\n     | string\n     | \"a\"\n    ,\n    l?: any,\n    },"
    )]
    [InlineData("""{"type":"integer","enum":[1,2.50]}""", "x?: 1 | 2.50,")]
    [InlineData("""{"enum":[true,"a\"b\n",{"c":[1]}]}""", "x?: true | \"a\\\"b\\n\" | {\"c\":[1]},")]
    [InlineData(
        """{"type":"array","prefixItems":[{"type":"number"},{"enum":["n","s"]}],"items":false}""",
        "x?: [number, \"n\" | \"s\"],"
    )]
    [InlineData("""{"type":"array","items":{"type":["string","null"]}}""", "x?: (string | null)[],")]
    [InlineData(
        """{"type":"string","default":"a\nb","examples":["c\u2028d"]}""",
        "// Examples:\n// - \"c\\u2028d\"\nx?: string, // default: \"a\\nb\""
    )]
    [InlineData("""{"type":"string","enum":["a\nb"],"default":"a\nb"}""", "x?: \"a\\nb\", // default: \"a\\nb\"")]
    public void A_schema_says_more_than_the_reference_would_write(string schema, string expected) =>
        Assert.Equal(
            $"(_: {{\n{expected}\n}}) => any",
            Signature(
                $$$$$"""
                {"type":"object","title":"f","description":"Dropped.","properties":{"x":{{{{{schema}}}}}},"$defs":{
                  "city":{"type":"string","enum":["Oslo"],"description":"A city.","$anchor":"town"},
                  "tree":{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#/$defs/tree"} } } } } }
                """
            )
        );

    [Theory]
    [InlineData("""{"type":"object","properties":{}}""")]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{"title":"f","description":"D","type":"object","properties":{},"additionalProperties":false}""")]
    public void Parameters_without_a_property_are_none(string schema) => Assert.Equal("() => any", Signature(schema));

    [Fact]
    public void A_dictionary_of_dotnet_says_what_it_holds()
    {
        AIFunction function = AIFunctionFactory.Create(
            (Dictionary<string, int> scores, DayOfWeek? day) => scores.Count + (int?)day,
            "f"
        );
        string? type = SchemaCleaner.Parameters(new ToolFunction("f", "", function.JsonSchema));
        Assert.Contains("scores: { [key: string]: number },", type);
    }

    /// <summary>More than can be shown, and what the warning says of it.</summary>
    public static TheoryData<string, string> TooMuch() =>
        new()
        {
            { Nested("""{"type":"object","properties":{"p":""", 40), "32 levels deep" },
            { Nested("""{"type":"array","items":""", 500), "32 levels deep" },
            { Nested("""{"type":"object","properties":{"a":{"enum":[1]}},"allOf":[""", 400, "]"), "32 levels deep" },
            { Nested("""{"additionalProperties":""", 400), "32 levels deep" },
            { Doubling("""{"type":"object","properties":{"a":REF,"b":REF}}"""), "10,000 parts" },
            { Doubling("""{"anyOf":[REF,{"properties":{"p":REF}}]}"""), "10,000 parts" },
            { Doubling("""{"allOf":[{"properties":{"a":{}}},REF],"description":"D"}""", 300), "32 levels deep" },
            {
                """{"type":"object","properties":{"p":{"description":"TEXT"}}}""".Replace(
                    "TEXT",
                    new string('x', 500_000)
                ),
                "400,000 characters"
            },
            { $$"""{"enum":[{{string.Join(',', Enumerable.Range(0, 300_000))}}]}""", "400,000 characters" },
            {
                "{\"properties\":{"
                    + string.Join(',', Enumerable.Range(0, 12_000).Select(i => $"\"p{i}\":{{}}"))
                    + "}}",
                "10,000 parts"
            },
            {
                """{"type":"object","properties":{"p":{"default":LIST}}}""".Replace(
                    "LIST",
                    new string('[', 200) + new string(']', 200)
                ),
                "nested too deeply"
            },
            {
                """{"$defs":{"d":{"description":"TEXT"}},"properties":{PROPERTIES}}"""
                    .Replace("TEXT", new string('x', 100_000))
                    .Replace(
                        "PROPERTIES",
                        string.Join(',', Enumerable.Range(0, 5_000).Select(i => $"\"p{i}\":{{\"$ref\":\"#/$defs/d\"}}"))
                    ),
                "more than"
            },
        };

    [Theory, MemberData(nameof(TooMuch))]
    public void What_is_too_much_is_cut_and_said_with_the_functions_name(string schema, string reason)
    {
        using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 2000 });
        var notes = new List<string>();
        long start = System.Diagnostics.Stopwatch.GetTimestamp();

        string? type = SchemaCleaner.Parameters(new ToolFunction("big\u202e", "", document.RootElement), notes.Add);
        double seconds = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;

        TypeScriptText.Read(type!);
        Assert.NotEqual("any", type);
        string note = Assert.Single(notes);
        Assert.Contains(reason, note);
        Assert.Contains("'big\\u202e'", note);
        Assert.InRange(type?.Length ?? 0, 0, 3_000_000); // 400,000 characters of the schema, and its indents
        Assert.InRange(seconds, 0, 30); // one, on a machine that does nothing else; without bounds hours
    }

    /// <summary>
    /// A large part beside thousands of small ones is not copied, or compared, for each of these: that allocated 6.4 GB
    /// for a schema of 440 KB, and nobody could cancel it.
    /// </summary>
    [Theory]
    [InlineData("\"prefixItems\":[", "]", "0", 200_000, 2_000)]
    [InlineData("\"patternProperties\":{", "}", "\"ID\":0", 10_000, 2_000)]
    public void Many_parts_beside_a_large_one_take_little_memory(
        string open,
        string close,
        string member,
        int members,
        int parts
    )
    {
        string large = string.Join(',', Enumerable.Range(0, members).Select(i => member.Replace("ID", $"a{i}"))),
            small = string.Join(
                ',',
                Enumerable.Range(0, parts).Select(i => $"{{{open}{member.Replace("ID", $"b{i}")}{close}}}")
            );
        using JsonDocument schema = JsonDocument.Parse($"{{\"allOf\":[{{{open}{large}{close}}},{small}]}}");
        var notes = new List<string>();
        long before = GC.GetAllocatedBytesForCurrentThread();
        string? type = SchemaCleaner.Parameters(new ToolFunction("f", "", schema.RootElement), notes.Add);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 150_000_000);
        Assert.NotEmpty(type!);
        Assert.Single(notes);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("false")]
    [InlineData("7")]
    [InlineData("\"x\"")]
    [InlineData("[]")]
    [InlineData(
        """{"type":7,"properties":[],"items":3,"required":"a","enum":{},"anyOf":{},"allOf":[1,null,[]],"$ref":{},"oneOf":[null]}"""
    )]
    [InlineData(
        """{"properties":{"a":null,"b":[],"c":"x"},"patternProperties":[],"additionalProperties":[],"if":1,"dependencies":[1]}"""
    )]
    [InlineData("""{"$ref":"#/%zz/~7/-1","anyOf":[],"oneOf":[],"allOf":[],"enum":[],"prefixItems":[]}""")]
    [InlineData("""{"type":"string","type":"object","properties":{},"properties":{"a":{},"a":{"const":1}}}""")]
    [InlineData(
        """{"\ud800":1,"description":"\udc00","properties":{"\ud800":{"enum":["\udfff\n"],"default":"\ud800","title":"\ud800"}},"$ref":"#/\ud800"}"""
    )]
    public void Any_json_is_a_schema(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        TypeScriptText.Read(SchemaCleaner.Parameters(new ToolFunction("f", "", document.RootElement)) ?? "any");
        ToolSchemaWriter.Write(document.RootElement, out _);
        JsonText.Compact(document.RootElement);
    }

    private static string Nested(string begin, int levels, string end = "") =>
        string.Concat(Enumerable.Repeat(begin, levels))
        + "true"
        + string.Concat(
            Enumerable.Repeat(end + new string('}', begin.Count(c => c == '{') - begin.Count(c => c == '}')), levels)
        );

    private static string Doubling(string schema, int levels = 20)
    {
        IEnumerable<string> definitions = Enumerable
            .Range(0, levels)
            .Select(i =>
                $"\"d{i}\":"
                + schema.Replace("REF", "{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}", StringComparison.Ordinal)
            );
        return "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + string.Join(',', definitions) + "}}";
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
        Assert.Contains(
            "f = () => any",
            Markup.Text(renderer.Render(messages, new RenderOptions { CleanSchemas = true })),
            StringComparison.Ordinal
        );
    }

    private static string Signature(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        string parameter = SchemaCleaner.Parameters(new ToolFunction("f", "", document.RootElement)) is { } type
            ? "_: " + type
            : "";
        return $"({parameter}) => any";
    }
}
