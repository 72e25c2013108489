using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>What may be written for a schema, case by case.</summary>
public sealed class SchemaAnswersTests
{
    [Theory]
    // The schema's own properties come first, then those of references, then those of its parts.
    [InlineData(
        """{"$ref":"#/$defs/r","allOf":[{"properties":{"b":{}}}],"properties":{"a":{}},"""
            + """ "$defs":{"r":{"properties":{"c":{}}}}}""",
        """{"a":1,"c":2,"b":3}""",
        """{"a":1,"b":2,"c":3}"""
    )]
    // A required name without a schema comes behind those with one.
    [InlineData("""{"properties":{"a":{}},"required":["z","a"]}""", """{"a":1,"z":2}""", """{"z":1,"a":2}""")]
    [InlineData(
        """{"properties":{"a":{}},"additionalProperties":{"type":"null"}}""",
        """{"a":1,"x":null}""",
        """{"x":null,"a":1}"""
    )]
    public void Properties_come_in_the_order_of_the_schema_or_in_any(string schema, string inOrder, string outOfOrder)
    {
        Assert.Equal([true, false], Judged(schema, new() { Order = PropertyOrder.Schema }, inOrder, outOfOrder));
        Assert.Equal([true, true], Judged(schema, new() { Order = PropertyOrder.Any }, inOrder, outOfOrder));
    }

    [Theory]
    [InlineData("""{"properties":{"a":{}}}""", """{"b":1}""", false)]
    [InlineData("""{"properties":{}}""", """{"b":1}""", false)]
    [InlineData("""{"patternProperties":{"^x":{}}}""", """{"x1":1}""", true)]
    [InlineData("""{"patternProperties":{"^x":{}}}""", """{"y1":1}""", false)]
    [InlineData("""{"type":"object"}""", """{"b":1}""", true)]
    [InlineData("""{"required":["a"]}""", """{"a":1,"b":1}""", true)]
    [InlineData("""{"properties":{"a":{}},"additionalProperties":true}""", """{"b":1}""", true)]
    [InlineData("""{"properties":{"a":{}},"unevaluatedProperties":true}""", """{"b":1}""", true)]
    [InlineData("""{"allOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}""", """{"a":1,"b":1}""", true)]
    [InlineData("""{"properties":{"a":{}},"required":["b"]}""", """{"a":1,"b":1}""", true)]
    [InlineData("""{"properties":{"a":{}},"minProperties":2}""", """{"a":1,"b":1}""", true)] // else nothing would fit
    // What a denial speaks of is not declared by it.
    [InlineData("""{"properties":{"a":{}},"not":{"properties":{"b":{"type":"null"}}}}""", """{"b":1}""", false)]
    public void An_object_that_declares_properties_is_closed_unless_told_otherwise(
        string schema,
        string text,
        bool isAllowed
    )
    {
        if (isAllowed || !schema.Contains("not", StringComparison.Ordinal))
            Assert.Equal([isAllowed], Judged(schema, SchemaOptions.Default, text));
        Assert.Equal([true], Judged(schema, new() { Objects = SchemaObjects.AsWritten }, text));
    }

    [Theory]
    [InlineData("""{"const":2.0}""", "2", "2.0")]
    [InlineData("""{"const":1e2}""", "100", "1e2")]
    [InlineData("""{"const":-0.0}""", "0", "-0")]
    [InlineData("""{"enum":["a\u0001\"\u00e9"]}""", "\"a\\u0001\\\"é\"", "\"a\\u0001\\u0022é\"")]
    [InlineData(
        """{"const":{"b":[1.50,null],"a":"x"}}""",
        """{"b":[1.5,null],"a":"x"}""",
        """{"b":[1.50,null],"a":"x"}"""
    )]
    [InlineData("""{"type":"integer","minimum":"-5","maximum":5}""", "-5", "5.0")] // .NET writes bounds as strings
    public void A_literal_and_an_integer_have_one_spelling(string schema, string right, string wrong) =>
        Assert.Equal([true, false], Judged(schema, SchemaOptions.Default, right, wrong));

    [Theory]
    [InlineData("""{"not":{"type":"integer"}}""", "1.5", "2")]
    [InlineData("""{"not":{"enum":[1,"a",null,true]}}""", "false", "true")]
    [InlineData("""{"not":{"minimum":3}}""", "2.9", "3")]
    [InlineData("""{"not":{"exclusiveMaximum":3}}""", "3", "2.9")]
    [InlineData("""{"not":{"pattern":"^a"}}""", "\"ba\"", "\"ab\"")]
    [InlineData("""{"not":{"minLength":2}}""", "\"a\"", "\"ab\"")]
    [InlineData("""{"not":{"required":["a","b"]}}""", """{"a":1}""", """{"a":1,"b":1}""")]
    [InlineData("""{"not":{"properties":{"p":{"type":"null"}}}}""", """{"p":1}""", """{"q":1}""")]
    [InlineData("""{"not":{"maxItems":1}}""", "[1,2]", "[1]")]
    [InlineData("""{"not":{"anyOf":[{"type":"null"},{"type":"string"}]}}""", "1", "\"\"")]
    [InlineData("""{"not":{"allOf":[{"type":["null","string"]},{"type":["null","array"]}]}}""", "[]", "null")]
    [InlineData("""{"not":{"not":{"type":"null"}}}""", "null", "1")]
    [InlineData("""{"not":{"items":{"type":"null"}}}""", "[null,1]", "[null]")]
    [InlineData("""{"not":{"additionalProperties":{"type":"null"}}}""", """{"a":null,"b":1}""", """{"a":null}""")]
    [InlineData("""{"not":{"patternProperties":{"^a":{"type":"null"}}}}""", """{"a":1}""", """{"b":1}""")]
    [InlineData("""{"not":{"propertyNames":{"maxLength":1}}}""", """{"ab":1}""", """{"a":1}""")]
    [InlineData("""{"not":{"contains":{"type":"null"}}}""", "[1]", "[null]")]
    [InlineData("""{"not":{"oneOf":[{"minimum":2},{"maximum":5}]}}""", "3", "1")]
    [InlineData("""{"not":{"if":{"minimum":0},"then":{"maximum":5}}}""", "6", "5")]
    [InlineData("""{"not":{"dependentRequired":{"a":["b"]}}}""", """{"a":1}""", """{"a":1,"b":1}""")]
    public void What_is_denied_is_what_else_there_is(string schema, string right, string wrong) =>
        Assert.Equal(
            [true, false],
            Judged(schema, new() { Objects = SchemaObjects.AsWritten, Order = PropertyOrder.Any }, right, wrong)
        );

    [Theory]
    // An array is no object that has the property, so that nothing has looked at its items.
    [InlineData("""{"dependentSchemas":{"a":{"prefixItems":[true]}},"unevaluatedItems":false}""", "[]", "[1]")]
    // A condition alone forbids nothing, but looks at what fits it.
    [InlineData("""{"allOf":[{"if":{"prefixItems":[{"const":1}]}}],"unevaluatedItems":false}""", "[1]", "[2]")]
    // Of several schemas that fit, each tells what it has looked at.
    [InlineData(
        """{"anyOf":[{"properties":{"a":true}},{"properties":{"b":{"const":1}}}],"unevaluatedProperties":false}""",
        """{"a":0,"b":1}""",
        """{"a":0,"b":2}"""
    )]
    // What a denied schema has looked at does not count.
    [InlineData(
        """{"not":{"not":{"properties":{"a":true}}},"properties":{"b":true},"unevaluatedProperties":false}""",
        """{"b":1}""",
        """{"a":1}"""
    )]
    [InlineData("""{"contains":{"const":1},"unevaluatedItems":{"const":2}}""", "[2,1,2]", "[1,3]")]
    public void What_nothing_has_looked_at_is_held_to_its_own_schema(string schema, string right, string wrong) =>
        Assert.Equal(
            [true, false],
            Judged(schema, new() { Objects = SchemaObjects.AsWritten, Order = PropertyOrder.Any }, right, wrong)
        );

    [Theory]
    [InlineData("""{"type":["object","null"],"properties":{"n":{"$ref":"#"}},"required":["n"]}""", 1)]
    [InlineData("""{"properties":{"a":{"$ref":"#"},"b":{"type":"null"}},"required":["a"],"type":"object"}""", null)]
    [InlineData("""{"type":"array","items":{"$ref":"#"},"minItems":1}""", null)]
    [InlineData("""{"type":"array","items":{"$ref":"#"}}""", 1)]
    public void A_value_that_needs_itself_is_none(string schema, int? lowestContainer)
    {
        if (lowestContainer is null)
            Assert.Contains("no value", Assert.Throws<SchemaException>(() => Compiled(schema)).Message);
        else
            Assert.InRange(Compiled(schema).Root.Height, 0, lowestContainer.Value);
    }

    [Fact]
    public void Arguments_are_objects_whatever_else_the_schema_lets_through()
    {
        const string Schema = """{"properties":{"a":{"type":"integer"}}}""";
        Grammar grammar = new(Compiled(Schema, mustBeObject: true).Root, isCompact: false);
        Assert.True(ConstraintState.Accepts(grammar, """{"a":1}"""));
        Assert.False(ConstraintState.Accepts(grammar, "1"));
        Assert.Throws<SchemaException>(() => Compiled("""{"type":"array"}""", mustBeObject: true));
    }

    [Fact]
    public void What_is_not_supported_is_left_out_and_listed_where_that_is_asked_for()
    {
        const string Schema = """
            {"properties":{"a":{"pattern":"(a)\\1"},"b":{"uniqueItems":true},"c":{"not":{"format":"date"}}},
            "patternProperties":{"(b)\\1":{}}}
            """;
        CompiledSchema compiled = Compiled(Schema, new() { Relax = true });
        Assert.Equal(
            ["/patternProperties/(b)\\1", "/properties/a/pattern", "/properties/b/uniqueItems", "/properties/c/not"],
            compiled.Relaxed.Order()
        );
        Assert.Empty(Compiled("""{"pattern":"a"}""", new() { Relax = true }).Relaxed);
    }

    private static bool[] Judged(string schema, SchemaOptions options, params string[] texts)
    {
        var grammar = new Grammar(Compiled(schema, options).Root, isCompact: false);
        return [.. texts.Select(text => ConstraintState.Accepts(grammar, text))];
    }

    private static CompiledSchema Compiled(string schema, SchemaOptions? options = null, bool mustBeObject = false)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        return SchemaCompiler.Compile(
            document.RootElement,
            options ?? SchemaOptions.Default,
            PropertyOrder.Schema,
            mustBeObject,
            new()
        );
    }

    [Theory]
    [InlineData("0.5", true)]
    [InlineData("3.141592653589793", true)]
    [InlineData("123456789012345.6", true)]
    [InlineData("7777777777777777.77", false)] // the nearest double is an integer
    [InlineData("0.99999999999999999", false)]
    [InlineData("5.0", false)]
    public void What_is_no_integer_is_none_as_a_double_either(string number, bool fits)
    {
        JsonElement schema = JsonElement.Parse("""{"type":"number","not":{"type":"integer"}}""");
        Assert.Equal(fits, GptOssGrammar.JsonSchema(schema).Accepts(number));
    }
}
