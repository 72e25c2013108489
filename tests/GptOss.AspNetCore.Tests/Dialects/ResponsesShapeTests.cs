using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>The objects and events of Responses, over the script.</summary>
public sealed partial class ResponsesShapeTests
{
    private const string Tool =
            ",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}]",
        Patch = ",\"tools\":[{\"type\":\"custom\",\"name\":\"patch\"}]",
        Space =
            ",\"tools\":[{\"type\":\"namespace\",\"name\":\"mcp\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}]",
        Summary = ",\"reasoning\":{\"effort\":\"high\",\"summary\":\"auto\"}",
        Sealed = ",\"include\":[\"reasoning.encrypted_content\"]";

    [Fact]
    public async Task An_error_repeats_no_more_than_eighty_characters_of_a_name_that_the_caller_gave()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        string metadata = $$"""{"{{new string('a', 1 << 20)}}\u001b":5}""";
        using HttpResponseMessage refused = await host.PostAsync(
            $$"""{"input":"x","metadata":{{metadata}}}""",
            "/v1/responses"
        );
        string body = await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        string param = JsonElement.Parse(body).GetProperty("error").GetProperty("param").GetString()!;
        Assert.Equal($"metadata.{new string('a', 79)}…", param);
        Assert.InRange(body.Length, 1, 1000);
    }

    [Fact]
    public async Task A_whole_response_has_every_member()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement response = await AskAsync(host, "hello you");
        string number = Text(response, "id")["resp_".Length..];
        Assert.Matches("^[0-9a-f]{32}$", number);
        Assert.InRange(
            response.GetProperty("completed_at").GetInt64() - response.GetProperty("created_at").GetInt64(),
            0,
            60
        );
        Assert.Equal(
            Lines(
                """
                {"id":"resp_N","object":"response","created_at":0,"completed_at":0,"status":"completed",
                "incomplete_details":null,"error":null,"model":"gpt-oss-20b","previous_response_id":null,"instructions":null,
                "output":[{"type":"reasoning","id":"rs_N","status":"completed","summary":[],"content":[{"type":"reasoning_text","text":"They said something."}]},
                {"type":"message","id":"msg_N","status":"completed","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"hello you","annotations":[],"logprobs":[]}]}],
                "tools":[],"tool_choice":"auto","parallel_tool_calls":true,"truncation":"disabled",
                "text":{"format":{"type":"text"},"verbosity":"medium"},"temperature":1,"top_p":1,
                "presence_penalty":0,"frequency_penalty":0,"top_logprobs":0,"reasoning":{"effort":"medium","summary":null},
                "max_output_tokens":null,"max_tool_calls":null,"store":true,"background":false,"service_tier":"default",
                "metadata":{},"safety_identifier":null,"prompt_cache_key":null,
                "usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":15},
                "user":null,"timings":{}}
                """
            ),
            Anonymous(response)
        );
    }

    [Fact]
    public async Task What_the_request_says_is_repeated()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement response = await AskAsync(
            host,
            "hi",
            """
            ,"temperature":0.7,"top_p":0.9,"max_output_tokens":50,"instructions":"Be brief.","metadata":{"a":"b"},"user":"u","prompt_cache_key":"k","safety_identifier":"s","store":false,"parallel_tool_calls":false,"max_tool_calls":3,"reasoning":{"effort":"xhigh"},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}},"verbosity":"low"},"tool_choice":"none","truncation":"auto"
            """
        );
        string json = response.GetRawText();
        Assert.All(
            (string[])
                [
                    "\"temperature\":0.7,\"top_p\":0.9",
                    "\"max_output_tokens\":50,\"max_tool_calls\":3,\"store\":false",
                    "\"instructions\":\"Be brief.\"",
                    "\"metadata\":{\"a\":\"b\"},\"safety_identifier\":\"s\",\"prompt_cache_key\":\"k\"",
                    "\"parallel_tool_calls\":false,\"truncation\":\"disabled\"",
                    "\"reasoning\":{\"effort\":\"high\",\"summary\":null}",
                    "\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{\"type\":\"object\"}},\"verbosity\":\"medium\"}",
                    "\"tool_choice\":\"none\"",
                    "\"user\":\"u\"",
                ],
            said => Assert.Contains(said, json, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("hello you", "")]
    [InlineData("hello you", Summary)]
    [InlineData("hello you", Sealed)]
    [InlineData("hello you", ",\"include_reasoning\":false")]
    [InlineData("SAY I look.\nCALL f {\"city\":\"Lisbon\"}", Tool)]
    [InlineData("NOTE I look.\nCALL f {\"city\":\"Lisbon\"}", Tool)]
    [InlineData("NOTE I look.\nSAY It is there.", "")]
    [InlineData("THINK a\nNOTE b\nTHINK c\nSAY d", Summary)]
    [InlineData("CALL f {}\nCALL f {\"a\":[1,2]}", Tool)]
    [InlineData("CALL nobody {\"a\":1}", Tool)]
    [InlineData("CALL f no json", Tool)]
    [InlineData("CUT\nCALL f {\"city\":\"Lis", Tool)]
    [InlineData("CALL mcp__f {\"a\":1}", Space)]
    [InlineData("CALL patch {\"input\":\"*** Begin\\n\\\"x\\\" \\u00e4\"}", Patch)]
    [InlineData("CALL patch *** Begin", Patch)]
    [InlineData("CUT\nCALL patch {\"input\":\"*** Beg", Patch)]
    [InlineData("SAY one\nCUT", "")]
    [InlineData("THINK one\nCUT", "")]
    [InlineData("SLEEP 1", "")]
    public async Task Every_event_agrees_with_the_whole_response(string question, string more)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        ResponsesStream stream = await ResponsesStream.AskAsync(host, Question(question, more, isStreamed: true));
        JsonElement whole = await AskAsync(host, question, more);
        Assert.Equal(Anonymous(whole), Anonymous(stream.Response));
    }

    [Fact]
    public async Task Events_come_in_the_order_of_the_items()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        ResponsesStream stream = await ResponsesStream.AskAsync(
            host,
            Question("THINK a b\nNOTE c d\nCALL f {\"a\":1}", Tool, true)
        );
        Assert.Equal(
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.reasoning_text.delta",
                "response.reasoning_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.output_item.added",
                "response.function_call_arguments.delta",
                "response.function_call_arguments.done",
                "response.output_item.done",
                "response.completed",
            ],
            stream.Types
        );
        Assert.Equal("commentary", Text(stream.Response.GetProperty("output")[1], "phase"));
    }

    [Fact]
    public async Task A_summary_stands_in_the_place_of_the_reasoning()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        ResponsesStream stream = await ResponsesStream.AskAsync(host, Question("hi", Summary, true));
        Assert.Equal(
            [
                "response.output_item.added",
                "response.reasoning_summary_part.added",
                "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.done",
                "response.reasoning_summary_part.done",
                "response.output_item.done",
            ],
            stream.Types.Skip(2).Take(6)
        );
        JsonElement item = stream.Response.GetProperty("output")[0];
        Assert.False(item.TryGetProperty("content", out _));
        Assert.Equal(
            """[{"type":"summary_text","text":"They said something."}]""",
            item.GetProperty("summary").GetRawText()
        );
        Assert.Equal(0, stream.Events[3].GetProperty("summary_index").GetInt32());
    }

    [Fact]
    public async Task A_call_of_a_group_goes_back_with_the_group_and_its_bare_name()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement call = (await AskAsync(host, "CALL mcp__f {}", Space)).GetProperty("output")[0];
        Assert.Equal(("f", "mcp"), (Text(call, "name"), Text(call, "namespace")));
        Assert.Matches("^fc_[0-9a-f]{32}$", Text(call, "id"));
        Assert.Matches("^call_[0-9a-f]{32}$", Text(call, "call_id"));
    }

    [Theory]
    [InlineData("CUT\nCALL f {\"city\":\"Lis", "function_call")]
    [InlineData("SAY one\nCUT", "message")]
    [InlineData("THINK one\nCUT", "reasoning")]
    public async Task What_a_limit_cuts_is_incomplete(string question, string kind)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        ResponsesStream stream = await ResponsesStream.AskAsync(host, Question(question, Tool, true));
        Assert.Equal("response.incomplete", NamedFrames.Type(stream.Events[^1]));
        Assert.Equal("incomplete", Text(stream.Response, "status"));
        Assert.Equal(
            "{\"reason\":\"max_output_tokens\"}",
            stream.Response.GetProperty("incomplete_details").GetRawText()
        );
        JsonElement last = stream.Response.GetProperty("output").EnumerateArray().Last();
        Assert.Equal((kind, "incomplete"), (NamedFrames.Type(last), Text(last, "status")));
    }

    [Fact]
    public async Task A_silent_stream_repeats_that_it_is_in_progress()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        ResponsesStream stream = await ResponsesStream.AskAsync(host, Question("READ 1000 600\nSAY hi", "", true));
        JsonElement[] beats =
        [
            .. stream.Events.Skip(2).Where(data => NamedFrames.Type(data) == "response.in_progress"),
        ];
        Assert.InRange(beats.Length, 3, 6);
        JsonElement progress = beats[^1].GetProperty("prompt_progress");
        Assert.Equal(1000, progress.GetProperty("total").GetInt32());
        Assert.InRange(progress.GetProperty("processed").GetInt32(), 200, 1000);
    }

    [Fact]
    public async Task A_beat_within_the_answer_has_what_there_is_of_it()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        ResponsesStream stream = await ResponsesStream.AskAsync(
            host,
            Question("SAY one two\nSLEEP 300\nSAY three", "", true)
        );
        JsonElement beat = stream.Events.Last(data => NamedFrames.Type(data) == "response.in_progress");
        JsonElement item = beat.GetProperty("response").GetProperty("output")[0];
        Assert.Equal(("in_progress", "one two"), (Text(item, "status"), ResponsesStream.Words(item)));
        Assert.Equal("one twothree", ResponsesStream.Words(stream.Response.GetProperty("output")[0]));
    }

    [Theory]
    [InlineData("SLEEP 300\nFAIL", 0)]
    [InlineData("SAY hi\nFAIL", 1)]
    public async Task A_fault_in_a_stream_is_an_error_and_a_failed_response(string question, int items)
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        ResponsesStream stream = await ResponsesStream.AskAsync(host, Question(question, "", true));
        JsonElement error = stream.Events[^2];
        Assert.Equal(("error", "internal_error"), (NamedFrames.Type(error), Text(error, "code")));
        Assert.Equal(JsonValueKind.Null, error.GetProperty("param").ValueKind);
        Assert.Equal("failed", Text(stream.Response, "status"));
        Assert.Equal("server_error", Text(stream.Response.GetProperty("error"), "code"));
        Assert.Equal(items, stream.Response.GetProperty("output").GetArrayLength());
        Assert.DoesNotContain("The script says so", stream.Response.GetRawText(), StringComparison.Ordinal);
    }

    private static void Quick(GptOssServerOptions options)
    {
        options.StreamPatience = TimeSpan.FromMilliseconds(100);
        options.Heartbeat = TimeSpan.FromMilliseconds(100);
    }

    private static string Question(string text, string more, bool isStreamed = false) =>
        $$"""{"input":{{JsonSerializer.Serialize(text)}},"stream":{{(isStreamed ? "true" : "false")}}{{more}}}""";

    private static async Task<JsonElement> AskAsync(TestHost host, string text, string more = "")
    {
        using HttpResponseMessage response = await host.PostAsync(Question(text, more), "/v1/responses");
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    // The ends of lines are there for the reader of this file alone.
    private static string Lines(string json) => json.Replace("\n", "", StringComparison.Ordinal).Trim();

    /// <summary>A response without what differs between answers: its number, its moments, its pace.</summary>
    private static string Anonymous(JsonElement response) =>
        Moments()
            .Replace(Timings().Replace(response.GetRawText(), "\"timings\":{}"), "$1:0")
            .Replace(Text(response, "id")["resp_".Length..], "N", StringComparison.Ordinal);

    [GeneratedRegex("(\"(?:created|completed)_at\"):\\d+")]
    private static partial Regex Moments();

    [GeneratedRegex("\"timings\":\\{.*?\\}")]
    private static partial Regex Timings();
}
