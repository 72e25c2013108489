using System.Net;
using System.Text.Json;
using GptOss.AspNetCore.Answers;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>The objects and events of Messages, member by member.</summary>
public sealed class MessagesShapeTests
{
    private const string Tool = ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]",
        Thinking = ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_whole_answer_has_every_member_in_its_order()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement answer = await AskAsync(host, "hello you", Thinking);
        Assert.Equal(
            """
            {"id":"msg_N","type":"message","role":"assistant","model":"gpt-oss-20b","content":[
            {"type":"thinking","thinking":"They said something.","signature":"g1.VGhleSBzYWlkIHNvbWV0aGluZy4="},
            {"type":"text","text":"hello you"}],"stop_reason":"end_turn","stop_sequence":null,
            "usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5}}
            """.Replace("\n", "", StringComparison.Ordinal),
            Anonymous(answer)
        );
    }

    [Theory]
    [InlineData("hello you")]
    [InlineData("SAY one two\nTHINK three\nSAY four \"five\" ä😀")]
    [InlineData("NOTE I will look.\nCALL f {\"city\": \"Lisbon\", \"n\":1}")]
    [InlineData("THINK so\nCALL f {}")]
    [InlineData("CALL f Lisbon \"x\"")]
    [InlineData("CALL f [1, 2]")]
    [InlineData("CALL f {\"a\":\"\\ud800\"}")]
    [InlineData("CALL f")]
    [InlineData("SAY one\nCUT")]
    public async Task A_whole_answer_is_the_fold_of_its_stream(string question)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement whole = await AskAsync(host, question, Tool + Thinking);
        MessagesStream stream = await MessagesStream.AskAsync(host, Question(question, Tool + Thinking, true));
        Assert.Equal(Anonymous(whole), Anonymous(stream.Message));
        Assert.Equal(stream.Message.GetProperty("usage").GetRawText(), whole.GetProperty("usage").GetRawText());
    }

    [Fact]
    public async Task Every_kind_of_block_has_its_events()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        MessagesStream stream = await MessagesStream.AskAsync(
            host,
            Question("THINK hm\nNOTE I look.\nCALL f {\"a\": 1}", Tool + Thinking, true)
        );
        string id = stream.Events[0].GetProperty("message").GetProperty("id").GetString()!["msg_".Length..];
        Assert.Equal(
            [
                """{"type":"message_start","message":{"id":"msg_N","type":"message","role":"assistant","model":"gpt-oss-20b","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}""",
                """{"type":"ping"}""",
                """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"g1.aG0="}}""",
                """{"type":"content_block_stop","index":0}""",
                """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}""",
                """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I"}}""",
                """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":" look."}}""",
                """{"type":"content_block_stop","index":1}""",
                """{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_N","name":"f","input":{}}}""",
                """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1"}}""",
                """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"}"}}""",
                """{"type":"content_block_stop","index":2}""",
                """{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":4}}""",
                """{"type":"message_stop"}""",
            ],
            stream.Events.Select(data => data.GetRawText().Replace(id, "N", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(",\"thinking\":{\"type\":\"disabled\"}", false)]
    [InlineData(",\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"}", true)]
    [InlineData(Thinking, true)]
    public async Task Reasoning_is_shown_to_whom_it_was_promised(string more, bool isShown)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement content = (await AskAsync(host, "hi", more)).GetProperty("content");
        Assert.Equal(isShown ? ["thinking", "text"] : ["text"], content.EnumerateArray().Select(NamedFrames.Type));
        ReasoningOptions reasoning = host.Script.Asked.Single().Options!.Reasoning!;
        Assert.Equal(ReasoningEffort.Medium, reasoning.Effort);
    }

    [Theory]
    [InlineData("CALL f {\"city\":\"Lisbon\"}", """{"city":"Lisbon"}""")]
    [InlineData("CALL f Lisbon", """{"_raw":"Lisbon"}""")]
    [InlineData("CALL f [1]", """{"_raw":"[1]"}""")]
    [InlineData("CUT\nCALL f {\"city\":\"Lis", """{"_raw":"{\"city\":\"Lis"}""")]
    public async Task Arguments_are_an_object_whatever_the_model_wrote(string question, string input)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement block = (await AskAsync(host, question, Tool)).GetProperty("content")[0];
        Assert.Equal(input, block.GetProperty("input").GetRawText());
        Assert.Matches("^toolu_[0-9a-f]{32}$", block.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("hi", "", "end_turn")]
    [InlineData("CALL f {}", Tool, "tool_use")]
    [InlineData("SAY one two three\nCUT", ",\"max_tokens\":3", "max_tokens")]
    [InlineData("SAY one two three\nCUT", ",\"max_tokens\":4", "model_context_window_exceeded")]
    [InlineData("SAY one two three\nCUT", "", "model_context_window_exceeded")]
    public async Task An_answer_says_why_it_ended(string question, string more, string reason)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        Assert.Equal(reason, (await AskAsync(host, question, more)).GetProperty("stop_reason").GetString());
    }

    [Fact]
    public async Task A_silent_stream_shows_signs_of_life()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        MessagesStream stream = await MessagesStream.AskAsync(host, Question("SLEEP 600\nSAY hi", "", true));
        Assert.InRange(stream.Events.Skip(2).Count(data => NamedFrames.Type(data) == "ping"), 3, 6);
        Assert.Equal("hi", stream.Message.GetProperty("content")[0].GetProperty("text").GetString());
    }

    // F107: some clients count no pings and give up after 300 seconds.
    [Fact]
    public async Task In_330_seconds_of_silence_every_minute_has_more_than_pings()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        var frames = new Recorder();
        ReplyWriter writer = Recorder.NewWriter(frames);
        writer.Begin();
        for (int second = 10; second <= 330; second += 10)
            writer.Beat(new Beat(null, TimeSpan.FromSeconds(second)));
        writer.Add(new ReplyEvent.Text("hi", IsPreamble: false, []));
        writer.Add(new ReplyEvent.Finished(ReplyEnd.Stop, null, new UsageDetails(), default));
        MessagesStream stream = MessagesStream.Read(frames.Text);
        JsonElement[] strong = [.. stream.Events.SkipLast(2).Where(data => NamedFrames.Type(data) == "message_delta")];
        Assert.Equal(5, strong.Length);
        Assert.All(strong, data =>
            Assert.Equal("""{"stop_reason":null,"stop_sequence":null}""", data.GetProperty("delta").GetRawText())
        );
        Assert.Equal(1 + 28, stream.Events.Count(data => NamedFrames.Type(data) == "ping"));
    }

    [Theory]
    [InlineData("SLEEP 300\nFAIL")]
    [InlineData("SAY hi\nFAIL")]
    public async Task A_fault_in_a_stream_is_its_last_event(string question)
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        using HttpResponseMessage response = await host.PostAsync(Question(question, "", true), "/v1/messages");
        MessagesStream stream = MessagesStream.Read(await response.Content.ReadAsStringAsync(Stop));
        Assert.True(stream.IsBroken);
        JsonElement last = stream.Events[^1];
        Assert.Equal("api_error", last.GetProperty("error").GetProperty("type").GetString());
        Assert.Equal(response.Headers.GetValues("x-request-id").Single(), last.GetProperty("request_id").GetString());
        Assert.DoesNotContain("The script says so", last.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/messages", "POST", "{\"messages\":5}", 400, "invalid_request_error")]
    [InlineData(
        "/v1/messages",
        "POST",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
        401,
        "authentication_error"
    )]
    [InlineData("/v1/messages", "GET", "", 405, "invalid_request_error")]
    [InlineData("/messages/nope", "POST", "{}", 404, "not_found_error")]
    [InlineData("/v1/messages/batches", "GET", "", 404, "not_found_error")]
    [InlineData(
        "/v1/messages",
        "POST",
        "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
        404,
        "not_found_error"
    )]
    [InlineData("/v1/messages", "POST", "too long {{a*3000}}", 413, "request_too_large")]
    [InlineData("/messages", "POST", "plain", 415, "invalid_request_error")]
    [InlineData("/v1/messages", "POST", "{\"messages\":[{\"role\":\"user\",\"content\":\"FAIL\"}]}", 500, "api_error")]
    public async Task Errors_have_the_form_of_the_dialect(
        string path,
        string method,
        string body,
        int status,
        string type
    )
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            options.MaxBodyBytes = 2_000;
            if (status == 401)
                options.ApiKeys.Add("key");
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST")
            request.Content = new StringContent(
                body.Replace("{{a*3000}}", new string('a', 3000), StringComparison.Ordinal),
                System.Text.Encoding.UTF8,
                body == "plain" ? "text/plain" : "application/json"
            );
        await AssertErrorAsync(await host.Client.SendAsync(request, Stop), status, type);
    }

    [Fact]
    public async Task A_full_server_says_529()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            options.MaxRunning = 1;
            options.MaxQueued = 0;
        });
        Task<HttpResponseMessage> running = host.PostAsync(Question("SLEEP 1000", ""), "/v1/messages");
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        HttpResponseMessage refused = await host.PostAsync(Question("hi", ""), "/v1/messages");
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        await AssertErrorAsync(refused, 529, "overloaded_error");
        (await running).Dispose();
    }

    [Fact]
    public async Task A_header_names_what_has_no_effect()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using HttpResponseMessage response = await host.PostAsync(
            Question(
                "hi",
                Thinking
                    + ",\"metadata\":{},\"context_management\":{},\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]"
            ),
            "/v1/messages?beta=true"
        );
        Assert.Equal(
            "context_management, metadata, thinking.budget_tokens, web_search_20250305",
            response.Headers.GetValues("x-gptoss-ignored").Single()
        );
        Assert.Empty(host.Script.Asked.Single().Options!.Tools!);
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, int status, string type)
    {
        using (response)
        {
            string body = await response.Content.ReadAsStringAsync(Stop);
            Assert.True(status == (int)response.StatusCode, $"{response.StatusCode}: {body}");
            JsonElement told = JsonElement.Parse(body),
                error = told.GetProperty("error");
            Assert.Equal(["type", "error", "request_id"], told.EnumerateObject().Select(member => member.Name));
            Assert.Equal(["type", "message"], error.EnumerateObject().Select(member => member.Name));
            Assert.Equal(("error", type), (NamedFrames.Type(told), NamedFrames.Type(error)));
            Assert.Equal(
                response.Headers.GetValues("x-request-id").Single(),
                told.GetProperty("request_id").GetString()
            );
        }
    }

    private static void Quick(GptOssServerOptions options)
    {
        options.StreamPatience = TimeSpan.FromMilliseconds(100);
        options.Heartbeat = TimeSpan.FromMilliseconds(100);
    }

    private static string Question(string text, string more, bool isStreamed = false) =>
        TestHost.Question(text, (isStreamed ? ",\"stream\":true" : "") + more);

    private static async Task<JsonElement> AskAsync(TestHost host, string text, string more = "")
    {
        using HttpResponseMessage response = await host.PostAsync(Question(text, more), "/v1/messages");
        string body = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    private static string Anonymous(JsonElement message) =>
        message
            .GetRawText()
            .Replace(message.GetProperty("id").GetString()!["msg_".Length..], "N", StringComparison.Ordinal);
}
