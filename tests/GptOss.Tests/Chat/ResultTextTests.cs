using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Chat;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>
/// What functions return, as the model reads it: live, as JSON, and read back from a stored conversation.
/// </summary>
public sealed class ResultTextTests
{
    private const string Png = "[image/png, 3 bytes: not shown, this model reads text only]";

    private static readonly byte[] Three = [1, 2, 3];

    private static readonly Dictionary<string, (object? Result, string Text)> Results = new()
    {
        ["null"] = (null, "null"),
        ["text"] = ("a\nb", "a\nb"),
        ["empty text"] = ("", ""),
        ["number"] = (17, "17"),
        ["decimal"] = (1.50m, "1.50"),
        ["true"] = (true, "true"),
        ["time"] = (DateTime.UnixEpoch, "1970-01-01T00:00:00Z"),
        ["id"] = (Guid.Empty, "00000000-0000-0000-0000-000000000000"),
        ["object"] = (
            new
            {
                City = "Zürich",
                Mood = (string?)null,
                Degrees = 24,
            },
            """{"city":"Zürich","degrees":24}"""
        ),
        ["list"] = (new[] { 1, 2 }, "[1,2]"),
        ["texts"] = (new[] { "a", "b" }, """["a","b"]"""),
        ["node"] = (new JsonObject { ["a"] = 1 }, """{"a":1}"""),
        ["content"] = (new TextContent("a"), "a"),
        ["contents"] = (new AIContent[] { new TextContent("a"), new TextContent("b\nc") }, "a\nb\nc"),
        ["list of contents"] = (new List<AIContent> { new TextContent("a"), new TextContent("b") }, "a\nb"),
        ["contents and others"] = (new object[] { new TextContent("a"), 1, "b" }, "a\n1\nb"),
        ["picture"] = (new DataContent(Three, "image/png"), Png),
        ["text and picture"] = (
            new AIContent[] { new TextContent("Look:"), new DataContent(Three, "image/png") },
            "Look:\n" + Png
        ),
        ["sound"] = (
            new DataContent(Three, "audio/wav"),
            "[audio/wav, 3 bytes: not shown, this model reads text only]"
        ),
        ["note"] = (new DataContent("a,b\n1,2"u8.ToArray(), "text/csv"), "a,b\n1,2"),
        ["note in Latin 1"] = (new DataContent(new byte[] { 0xE9 }, "text/plain;charset=iso-8859-1"), "é"),
        ["note with a mark"] = (new DataContent(new byte[] { 0xEF, 0xBB, 0xBF, 0x61 }, "text/plain"), "a"),
        ["note that is no UTF-8"] = (new DataContent(new byte[] { 0xFF, 0x61 }, "text/plain"), "\uFFFDa"),
        ["data of JSON"] = (new DataContent("{\"a\": 1}"u8.ToArray(), "application/json"), "{\"a\": 1}"),
        ["problem"] = (new DataContent("{}"u8.ToArray(), "application/problem+json"), "{}"),
        ["link"] = (
            new UriContent("https://example.org/x.png", "image/png"),
            "[image/png, https://example.org/x.png: not shown, this model reads text only]"
        ),
        ["error"] = (new ErrorContent("no\nsky"), "Error: no sky"),
        ["hosted file"] = (new HostedFileContent("f1"), "[file f1: not shown, this model reads text only]"),
        ["reasoning"] = (new TextReasoningContent("thought"), "thought"),
        ["foreign call"] = (
            new McpServerToolCallContent("1", "t", "s"),
            "[mcpServerToolCall: not shown, this model reads text only]"
        ),
        ["a type of its own"] = (JsonElement.Parse("""{"$type":"cat","lives":9}"""), """{"$type":"cat","lives":9}"""),
        ["result in result"] = (new FunctionResultContent("2", new AIContent[] { new TextContent("in") }), "in"),
        ["envelope with texts"] = (
            Json("""{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"""),
            "a\nb"
        ),
        ["envelope with structure"] = (
            Json(
                """{"content":[{"type":"text","text":"{\"t\":24}"}],"structuredContent":{ "t": 24 },"isError":false}"""
            ),
            """{"t":24}"""
        ),
        ["envelope with error"] = (
            Json("""{"content":[{"type":"text","text":"no such file"}],"isError":true}"""),
            "Error: no such file"
        ),
        ["envelope with an error that says so"] = (
            Json("""{"content":[{"type":"text","text":"Error: no such file"}],"isError":true}"""),
            "Error: no such file"
        ),
        ["envelope with picture"] = (
            Json(
                """{"content":[{"type":"image","data":"AQID","mimeType":"image/png"},{"type":"text","text":"a"}],"_meta":{}}"""
            ),
            Png + "\na"
        ),
        ["envelope with resource"] = (
            Json(
                """{"content":[{"type":"resource","resource":{"uri":"file:///a.txt","mimeType":"text/plain","text":"inside"}}]}"""
            ),
            "inside"
        ),
        ["envelope with blob"] = (
            Json(
                """{"content":[{"type":"resource","resource":{"uri":"file:///a.png","mimeType":"image/png","blob":"AQID"}}]}"""
            ),
            Png
        ),
        ["envelope with link"] = (
            Json("""{"content":[{"type":"resource_link","uri":"file:///a.png","name":"a"}]}"""),
            "[link, file:///a.png: not shown, this model reads text only]"
        ),
        ["envelope with news"] = (
            Json("""{"content":[{"type":"hologram","x":1}]}"""),
            "[hologram: not shown, this model reads text only]"
        ),
        ["envelope of Python"] = (
            Json(
                """{"meta":null,"content":[{"type":"text","text":"a","annotations":null,"meta":null}],"structuredContent":null,"isError":false}"""
            ),
            "a"
        ),
        ["envelope in C#'s names"] = (
            Json(
                """{"Meta":null,"Content":[{"Type":"text","Text":"a"},{"Type":"image","Data":"AQID","MimeType":"image/png"}],"StructuredContent":null,"IsError":true}"""
            ),
            "Error: a\n" + Png
        ),
        ["envelope in Python's names"] = (
            Json(
                """{"content":[{"type":"image","data":"AQID","mime_type":"image/png"}],"structured_content":null,"is_error":false}"""
            ),
            Png
        ),
        ["envelope with one block"] = (Json("""{"content":{"type":"text","text":"a"},"isError":false}"""), "a"),
        ["envelope with a text"] = (Json("""{"content":"a","isError":true}"""), "Error: a"),
        ["envelope of the first version"] = (Json("""{"toolResult":{"a":1}}"""), """{"a":1}"""),
        ["envelope of an error without words"] = (
            Json("""{"content":[],"isError":true}"""),
            "Error: the tool failed and did not say why."
        ),
        ["a block alone"] = (Json("""{"type":"text","text":"a","annotations":{"audience":["user"]}}"""), "a"),
        ["no block alone"] = (
            Json("""{"type":"text","text":"a","page":3}"""),
            """{"type":"text","text":"a","page":3}"""
        ),
        ["envelope of nothing"] = (Json("""{"content":[],"isError":false}"""), ""),
        ["structure of nothing"] = (Json("""{"content":[],"structuredContent":null,"isError":false}"""), ""),
        ["blocks without envelope"] = (
            Json("""[{"type":"text","text":"a"},{"type":"image","data":"AQID","mimeType":"image/png"}]"""),
            "a\n" + Png
        ),
        ["no envelope"] = (Json("""{"content":"words","isError":1}"""), """{"content":"words","isError":1}"""),
        ["a message of another API"] = (
            Json("""{"id":7,"content":[{"type":"text","text":"a"}]}"""),
            """{"id":7,"content":[{"type":"text","text":"a"}]}"""
        ),
        ["structure without envelope"] = (
            Json("""{"structuredContent":{"a":1}}"""),
            """{"structuredContent":{"a":1}}"""
        ),
    };

    public static TheoryData<string> Kinds => [.. Results.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_result_is_the_same_text_live_as_json_and_stored(string kind)
    {
        (object? result, string text) = Results[kind];
        var live = new FunctionResultContent("1", result);

        Assert.Equal(text, ResultText.Of(live));
        Assert.Equal(text, ResultText.Of(Stored(live)));
        Assert.Equal(text, ResultText.Of(new FunctionResultContent("1", Stored(live).Result)));
    }

    [Theory]
    [InlineData("""[{"type":"text","text":"a\ud800"}]""", "a\uFFFD")]
    [InlineData("\"a\\ud800\"", "a\uFFFD")]
    [InlineData("""{"\ud800":1,"isError":true}""", """{"\ud800":1,"isError":true}""")]
    [InlineData("""{"$type":"\ud800"}""", """{"$type":"\ud800"}""")]
    public void Half_of_a_surrogate_pair_in_JSON_hides_nothing_else(string json, string text) =>
        Assert.Equal(text, ResultText.Of(new FunctionResultContent("1", Json(json))));

    [Fact]
    public void A_result_that_cannot_be_read_is_a_line_that_says_so()
    {
        JsonDocument disposed = JsonDocument.Parse("{}");
        JsonElement gone = disposed.RootElement;
        disposed.Dispose();
        JsonNode deep = JsonValue.Create(1);
        for (int i = 0; i < 1500; i++)
            deep = new JsonObject { ["x"] = deep };

        Assert.Equal("[Thrower: this result could not be read: no sky today]", Of(new Thrower()));
        Assert.StartsWith("[JsonElement: this result could not be read: ", Of(gone));
        Assert.StartsWith("[JsonObject: this result could not be read: ", Of(deep));
        Assert.StartsWith("[List`1: this result could not be read: ", Of(new List<Thrower> { new() }));
        Assert.StartsWith(
            "[Dictionary`2: this result could not be read: ",
            Of(new Dictionary<string, object> { ["a"] = new Thrower() })
        );
        Assert.All(
            new object[]
            {
                new Thrower(),
                gone,
                deep,
                typeof(string).GetMethods()[0],
                (Action)(() => { }),
                new MemoryStream(),
                Task.CompletedTask,
            },
            value => Assert.DoesNotContain('\n', Of(value))
        );
        Assert.Equal(
            "Error: broken",
            ResultText.Of(new FunctionResultContent("1", null) { Exception = new IOException("broken") })
        );
    }

    [Fact]
    public void Lists_within_lists_end_somewhere()
    {
        object nested = new AIContent[] { new TextContent("deep") };
        for (int i = 0; i < 100; i++)
            nested = new object[] { nested, new TextContent("x") };

        Assert.Contains("x", Of(nested));
    }

    [Theory]
    [InlineData("""{"$type":"data"}""")]
    [InlineData("""{"$type":"data","uri":"data:"}""")]
    [InlineData("""{"$type":"data","uri":"no uri"}""")]
    [InlineData("""{"$type":"data","uri":"data:image/png;base64,%%%"}""")]
    [InlineData("""{"$type":"text"}""")]
    [InlineData("""{"$type":"text","text":7}""")]
    [InlineData("""{"$type":"error"}""")]
    [InlineData("""{"$type":"uri"}""")]
    [InlineData("""{"$type":7}""")]
    [InlineData("""{"$type":"functionResult"}""")]
    [InlineData("""[{"$type":"text","text":"\ud800"}]""")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"content":[null,{"type":"text"}],"isError":true}""")]
    [InlineData("""{"content":[{"type":"image"}],"isError":true}""")]
    [InlineData("""{"content":[{"type":"image","data":"%%%","mimeType":"nonsense"}]}""")]
    [InlineData("""{"content":[{"type":"resource","resource":{}}]}""")]
    public void Damaged_results_are_told_as_far_as_they_go(string json) => Assert.NotNull(Of(Json(json)));

    private static string Of(object result) => ResultText.Of(new FunctionResultContent("1", result));

    private static JsonElement Json(string json) => JsonElement.Parse(json);

    private static FunctionResultContent Stored(FunctionResultContent live) =>
        (FunctionResultContent)
            JsonSerializer.Deserialize<AIContent>(
                JsonSerializer.Serialize<AIContent>(live, AIJsonUtilities.DefaultOptions),
                AIJsonUtilities.DefaultOptions
            )!;

    private sealed class Thrower
    {
        private readonly string _reason = "no sky\ntoday";

        public string Sky => throw new InvalidOperationException(_reason);
    }
}
