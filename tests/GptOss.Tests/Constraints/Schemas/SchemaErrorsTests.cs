using System.Text.Json;
using GptOss.Constraints.Schemas;

namespace GptOss.Tests.Constraints.Schemas;

/// <summary>What is wrong with a schema is said with its keyword and its place, before anything is written.</summary>
public sealed class SchemaErrorsTests
{
    [Theory]
    [InlineData("""{"maxLenght":5}""", "/maxLenght", "did you mean 'maxLength'")]
    [InlineData("""{"additonalProperties":false}""", "/additonalProperties", "did you mean 'additionalProperties'")]
    [InlineData("""{"items":{"minlength":1}}""", "/items/minlength", "did you mean 'minLength'")]
    [InlineData("""{"properites":{}}""", "/properites", "did you mean 'properties'")]
    [InlineData("""{"Not":{}}""", "/Not", "did you mean 'not'")]
    [InlineData("""{"type":"objekt"}""", "/type", "one of 'null'")]
    [InlineData("""{"type":["string",1]}""", "/type/1", "one of 'null'", "type")]
    [InlineData("""{"minLength":"a"}""", "/minLength", "a count")]
    [InlineData("""{"minLength":-1}""", "/minLength", "not negative")]
    [InlineData("""{"maxItems":1.5}""", "/maxItems", "a count")]
    [InlineData("""{"minimum":true}""", "/minimum", "a number")]
    [InlineData("""{"multipleOf":0}""", "/multipleOf", "above 0")]
    [InlineData("""{"required":true}""", "/required", "a list")]
    [InlineData("""{"required":[1]}""", "/required/0", "a string", "required")]
    [InlineData("""{"properties":[]}""", "/properties", "an object")]
    [InlineData("""{"properties":{"a/b~":1}}""", "/properties/a~1b~0", "a schema", "properties")]
    [InlineData("""{"anyOf":[]}""", "/anyOf", "at least one")]
    [InlineData("""{"anyOf":{}}""", "/anyOf", "a list")]
    [InlineData("""{"uniqueItems":1}""", "/uniqueItems", "true or false")]
    [InlineData("""{"pattern":"[a-"}""", "/pattern", "at ")]
    [InlineData("""{"patternProperties":{"(a)\\1":{}}}""", "/patternProperties/(a)\\1", "at ", "patternProperties")]
    [InlineData("""{"pattern":"\ud800"}""", "/pattern", "well-formed")]
    [InlineData("""{"const":"\udc00"}""", "/const", "well-formed")]
    [InlineData("""{"type":"null","type":"string"}""", "/type", "comes twice")]
    [InlineData("""{"properties":{"a":{},"a":{}}}""", "/properties/a", "comes twice", "properties")]
    [InlineData("""{"const":{"a":1,"a":1}}""", "/const/a", "comes twice", "const")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "/$ref", "not there")]
    [InlineData("""{"$ref":"#none"}""", "/$ref", "not there")]
    [InlineData("""{"items":{"$ref":"other.json"}}""", "/items/$ref", "another document")]
    [InlineData("""{"$ref":"#"}""", "/$ref", "leads back to itself")]
    [InlineData("""{"$dynamicRef":"#a"}""", "/$dynamicRef", "not supported")]
    [InlineData("""{"items":{"$id":"b.json"}}""", "/items/$id", "not supported")]
    [InlineData("""{"$vocabulary":{"https://example.com/v":true}}""", "/$vocabulary", "not supported")]
    [InlineData("""{"not":{"items":{"format":"date"}}}""", "/not", "'not' over 'format', at /not/items/format")]
    [InlineData("""{"oneOf":[{"format":"date"},{"maxLength":10}]}""", "/oneOf", "'oneOf' over 'format'")]
    [InlineData("""{"uniqueItems":true}""", "/uniqueItems", "objects or arrays")]
    [InlineData("""{"minItems":2000000}""", "/minItems", "1,000,000")]
    [InlineData("""{"$ref":"#","unevaluatedProperties":false}""", "/$ref", "leads back to itself")]
    [InlineData(
        """{"type":"array","allOf":[{"contains":{"minimum":0},"minContains":300},{"contains":{"minimum":1},"minContains":300}]}""",
        "/allOf/1/contains",
        "'minContains'"
    )]
    public void An_error_names_its_keyword_and_its_place(
        string schema,
        string pointer,
        string message,
        string? keyword = null
    )
    {
        SchemaException error = Assert.Throws<SchemaException>(() => Compile(schema));
        Assert.Equal(pointer, error.Pointer);
        Assert.Equal(keyword ?? pointer[(pointer.LastIndexOf('/') + 1)..], error.Keyword);
        Assert.StartsWith($"{pointer}: '", error.Message);
        Assert.Contains(message, error.Message);
        Assert.Null(error.Function);
    }

    [Fact]
    public void A_name_with_half_of_a_surrogate_pair_is_an_error_at_the_root_too()
    {
        SchemaException error = Assert.Throws<SchemaException>(() =>
            Compile("""{"$\ud800defs":{},"properties":{"a":{"$ref":"#/x"}}}""")
        );
        Assert.Contains("well-formed text", error.Message);
    }

    [Fact]
    public void What_is_no_schema_at_all_is_an_error_of_the_whole()
    {
        Assert.Equal("", Assert.Throws<SchemaException>(() => Compile("[]")).Pointer);
        Assert.StartsWith(
            "The schema should be",
            Assert
                .Throws<SchemaException>(() =>
                    SchemaCompiler.Compile(default, SchemaOptions.Default, PropertyOrder.Any, mustBeObject: true, new())
                )
                .Message
        );
    }

    [Theory]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""", "", null)]
    [InlineData("false", "", null)]
    [InlineData(
        """{"type":"object","properties":{"a":{"type":"string","maxLength":1,"minLength":2}},"required":["a"]}""",
        "/properties/a",
        null
    )]
    [InlineData("""{"type":"string","pattern":"^a+$","format":"date"}""", "", null)]
    [InlineData("""{"type":"string","pattern":"^(aa)+$","minLength":3,"maxLength":3}""", "", null)]
    [InlineData("""{"type":"array","items":{"enum":[1,1.0,2]},"uniqueItems":true,"minItems":3}""", "", "minItems")]
    [InlineData("""{"type":"object","maxProperties":1,"required":["a","b"]}""", "", null)]
    [InlineData("""{"type":"object","propertyNames":{"enum":["a","b"]},"minProperties":3}""", "", null)]
    [InlineData("""{"type":"array","contains":{"type":"null"},"items":{"type":"string"}}""", "/items", null)]
    [InlineData(
        """{"type":"array","items":{"const":3},"contains":{"minimum":1},"maxContains":2,"minItems":3}""",
        "/items",
        null
    )]
    public void A_schema_without_a_value_is_named_by_its_nearest_part(string schema, string pointer, string? keyword)
    {
        SchemaException error = Assert.Throws<SchemaException>(() => Compile(schema));
        Assert.Contains("no value", error.Message);
        Assert.Equal((pointer, keyword), (error.Pointer, error.Keyword));
    }

    [Theory]
    [InlineData("""{"note":"a","nota":"b","ids":1,"x-minLenght":1,"_format":"date","$default":1}""")]
    [InlineData("""{"readonly":true,"decription":"a"}""")] // a slip, but of a name that holds nobody to anything
    [InlineData("""{"properties":{"minLenght":{}},"default":{"minLenght":1},"examples":[{"type":"objekt"}]}""")]
    [InlineData("""{"$defs":{"a":{"type":"objekt"}}}""")] // never reached
    [InlineData("""{"additionalItems":{"type":"string"},"then":{"type":"null"}}""")] // nothing that they go with
    [InlineData("""{"$id":"https://example.com/a.json","items":{"$ref":"a.json#/$defs/s"},"$defs":{"s":{}}}""")]
    [InlineData("""{"items":{"$ref":"#s"},"$defs":{"s":{"$anchor":"s"}}}""")]
    [InlineData("""{"items":{"$ref":"#s"},"definitions":{"s":{"$id":"#s"}}}""")]
    [InlineData("""{"format":"idn-email","contentEncoding":"7bit"}""")]
    public void What_says_nothing_of_values_is_passed_over(string schema) => Compile(schema);

    private static void Compile(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        SchemaCompiler.Compile(
            document.RootElement,
            SchemaOptions.Default,
            PropertyOrder.Schema,
            mustBeObject: false,
            new()
        );
    }
}
