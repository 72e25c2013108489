using System.Text.Json;
using GptOss.Harmony;

namespace GptOss.Tests.Harmony;

/// <summary>What the shared cases do not show of schemas; they hold the rest.</summary>
public sealed class ToolSchemaWriterTests
{
    /// <summary>Numbers as the reference's JSON library prints them.</summary>
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "-0.0")]
    [InlineData("0.0", "0.0")]
    [InlineData("1.50", "1.5")]
    [InlineData("12.34", "12.34")]
    [InlineData("1E2", "100.0")]
    [InlineData("1e15", "1000000000000000.0")]
    [InlineData("1e16", "1e16")]
    [InlineData("0.00001", "0.00001")]
    [InlineData("0.000001", "1e-6")]
    [InlineData("-1.25e-7", "-1.25e-7")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("18446744073709551616", "1.8446744073709552e19")]
    public void A_default_number_is_printed_in_its_shortest_form(string number, string printed) =>
        Assert.Equal(
            $"{{\nx?: number, // default: {printed}\n}}",
            Write($$$$"""{"type":"object","properties":{"x":{"type":"number","default":{{{{number}}}}}}}""")
        );

    [Theory]
    [InlineData("""{"type":"string","enum":["a",1],"default":"a\"b"}""", "x?: \"a\", // default: a\"b")]
    [InlineData(
        """{"default":{"a":["é/\u0001\u007f\u2028","\n"]}}""",
        "x?: any, // default: {\"a\":[\"é/\\u0001\u007f\u2028\",\"\\n\"]}"
    )]
    [InlineData("""{"type":"array","items":null}""", "x?: any[],")]
    [InlineData("""{"type":[1],"enum":["a"]}""", "x?: any,")]
    [InlineData("""{"oneOf":1,"description":"d","default":2,"type":"string"}""", "x?: string,")]
    [InlineData("""{"type":"string","nullable":true,"default":null}""", "x?: string | null, // default: null")]
    [InlineData("true", "x?: any,")]
    public void A_property_is_written_as_the_reference_does(string schema, string expected) =>
        Assert.Equal($"{{\n{expected}\n}}", Write($$$$"""{"type":"object","properties":{"x":{{{{schema}}}}}}"""));

    [Fact]
    public void Of_two_properties_of_one_name_the_last_counts_at_the_place_of_the_first() =>
        Assert.Equal(
            "{\na?: number,\nb?: any,\n}",
            Write("""{"type":"object","properties":{"a":{"type":"string"},"b":{},"a":{"type":"number"}}}""")
        );

    [Fact]
    public void A_schema_nested_too_deeply_is_cut()
    {
        Assert.Equal("string" + Brackets(31), Write(Nested(31)));
        Assert.False(_isCut);
        Assert.Equal("any" + Brackets(32), Write(Nested(32)));
        Assert.True(_isCut);
        Assert.Equal("any" + Brackets(32), Write(Nested(400)));

        static string Nested(int levels) =>
            string.Concat(Enumerable.Repeat("{\"type\":\"array\",\"items\":", levels))
            + "{\"type\":\"string\"}"
            + new string('}', levels);
        static string Brackets(int levels) => string.Concat(Enumerable.Repeat("[]", levels));
    }

    [Fact]
    public void Half_a_surrogate_pair_becomes_the_sign_for_no_text() =>
        Assert.Equal(
            "// \ufffd\n{\n\ufffd\ta?: \"\ufffd\", // default: \"\ufffd\"\n}",
            Write(
                    """{"type":"object","description":"\ud800","properties":{"\udc00\ta":{"type":"string","enum":["\ud800"],"default":["\ud800"]}}}"""
                )
                .Replace("[", "")
                .Replace("]", "")
        );

    private bool _isCut;

    private string Write(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 1000 });
        return ToolSchemaWriter.Write(document.RootElement, out _isCut);
    }
}
