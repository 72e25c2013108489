using System.Text.Json;

namespace GptOss.AspNetCore.Tests;

/// <summary>The shapes of Chat Completions, over the script.</summary>
public sealed class ChatShapeTests
{
    private const string Tool = """
        ,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]
        """;

    private const string Patch = ""","tools":[{"type":"custom","custom":{"name":"patch"}}]""";

    [Fact]
    public async Task A_whole_answer_has_every_member()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement answer = await host.AskAsync("hello you");
        Assert.Matches("^chatcmpl-[0-9a-f]{32}$", Text(answer, "id"));
        Assert.Equal("chat.completion", Text(answer, "object"));
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - answer.GetProperty("created").GetInt64(), 0, 60);
        Assert.Equal("gpt-oss-20b", Text(answer, "model"));
        Assert.Equal("default", Text(answer, "service_tier"));
        Assert.StartsWith("gptoss-", Text(answer, "system_fingerprint"), StringComparison.Ordinal);
        Assert.Equal(
            """
            {"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"hello you","refusal":null,"annotations":[],"reasoning":"They said something.","reasoning_content":"They said something."}}
            """,
            answer.GetProperty("choices")[0].GetRawText()
        );
        Assert.Equal(
            """
            {"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}
            """,
            answer.GetProperty("usage").GetRawText()
        );
        JsonElement timings = answer.GetProperty("timings");
        Assert.Equal(
            (4, 6, 5),
            (Number(timings, "cache_n"), Number(timings, "prompt_n"), Number(timings, "predicted_n"))
        );
    }

    [Fact]
    public async Task A_stream_begins_with_the_role_and_ends_with_done()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        List<string> data = await host.StreamAsync("a b");
        Assert.Equal("[DONE]", data[^1]);
        JsonElement[] chunks = [.. data.SkipLast(1).Select(chunk => JsonElement.Parse(chunk))];
        string[] choices = [.. chunks.Select(chunk => chunk.GetProperty("choices")[0].GetRawText())];
        Assert.Equal(Piece("""{"role":"assistant","content":""}"""), choices[0]);
        Assert.Equal(Piece("""{"reasoning":"They","reasoning_content":"They"}"""), choices[1]);
        Assert.Equal(Piece("""{"content":"a"}"""), choices[4]);
        Assert.Equal(Piece("""{"content":" b"}"""), choices[5]);
        Assert.Equal(Piece("{}", "\"stop\""), choices[6]);
        Assert.All(chunks, chunk =>
        {
            Assert.Equal(Text(chunks[0], "id"), Text(chunk, "id"));
            Assert.Equal("chat.completion.chunk", Text(chunk, "object"));
            Assert.False(chunk.TryGetProperty("usage", out _));
        });
    }

    [Fact]
    public async Task Usage_comes_in_a_last_chunk_where_it_is_asked_for()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        List<string> data = await host.StreamAsync("a", ",\"stream_options\":{\"include_usage\":true}");
        JsonElement[] chunks = [.. data.SkipLast(1).Select(chunk => JsonElement.Parse(chunk))];
        Assert.All(chunks.SkipLast(1), chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
        JsonElement last = chunks[^1];
        Assert.Equal(0, last.GetProperty("choices").GetArrayLength());
        Assert.Equal(10, Number(last.GetProperty("usage"), "prompt_tokens"));
        Assert.Equal(4, Number(last.GetProperty("timings"), "cache_n"));
    }

    [Fact]
    public async Task A_call_comes_with_its_name_first_and_then_in_pieces()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        List<string> data = await host.StreamAsync("""CALL f {"city":"Lisbon"}""", Tool);
        string[] deltas =
        [
            .. data.SkipLast(1)
                .Select(chunk => JsonElement.Parse(chunk).GetProperty("choices")[0].GetProperty("delta").GetRawText()),
        ];
        Assert.Matches(
            """^\{"tool_calls":\[\{"index":0,"id":"call_[0-9a-f]{32}","type":"function","function":\{"name":"f","arguments":""\}\}\]\}$""",
            deltas[1]
        );
        Assert.Equal("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\""}}]}""", deltas[2]);
        Assert.Contains("\"finish_reason\":\"tool_calls\"", data[^2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hello you", "")]
    [InlineData("SAY I look.\nCALL f {\"city\":\"Lisbon\"}", Tool)]
    [InlineData("CALL f {}\nCALL f {\"a\":[1,2]}", Tool)]
    [InlineData("CALL nobody {\"a\":1}", Tool)]
    [InlineData("CALL f no json", Tool)]
    [InlineData("CUT\nCALL f {\"city\":\"Lis", Tool)]
    [InlineData("CALL patch {\"input\":\"*** Begin\\n\\\"x\\\" \\u00e4\"}", Patch)]
    [InlineData("CALL patch *** Begin", Patch)]
    [InlineData("CALL patch {\"text\":\"one string\"}", Patch)]
    [InlineData("CUT\nCALL patch {\"input\":\"*** Beg", Patch)]
    [InlineData("CALL patch {\"input\":\"\\ud83d\\ude00 \\ud83d\\ude00, \\ud83d\\ude00\"}", Patch)] // pieces part them
    [InlineData("CUT\nCALL patch {\"input\":\"*** Beg\\ud83d", Patch)]
    [InlineData("SAY one\nCUT", "")]
    public async Task A_whole_answer_is_the_fold_of_its_stream(string question, string more)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement choice = (await host.AskAsync(question, more)).GetProperty("choices")[0];
        JsonElement message = choice.GetProperty("message");
        List<string> data = await host.StreamAsync(question, more);
        string content = "",
            reasoning = "";
        string? finish = null;
        var inputs = new List<string>();
        foreach (JsonElement chunk in data.SkipLast(1).Select(chunk => JsonElement.Parse(chunk)))
        {
            JsonElement piece = chunk.GetProperty("choices")[0],
                delta = piece.GetProperty("delta");
            finish = piece.GetProperty("finish_reason").GetString() ?? finish;
            content += delta.TryGetProperty("content", out JsonElement text) ? text.GetString() : "";
            reasoning += delta.TryGetProperty("reasoning", out JsonElement thought) ? thought.GetString() : "";
            if (!delta.TryGetProperty("tool_calls", out JsonElement calls))
                continue;
            JsonElement call = calls[0];
            if (Number(call, "index") == inputs.Count)
                inputs.Add("");
            inputs[^1] += call.TryGetProperty("function", out JsonElement function)
                ? Text(function, "arguments")
                : Text(call.GetProperty("custom"), "input");
        }
        Assert.Equal(Text(choice, "finish_reason"), finish);
        Assert.Equal(message.GetProperty("content").GetString() ?? "", content);
        Assert.Equal(message.TryGetProperty("reasoning", out JsonElement whole) ? whole.GetString() : "", reasoning);
        string[] made = message.TryGetProperty("tool_calls", out JsonElement all)
            ?
            [
                .. all.EnumerateArray()
                    .Select(call =>
                        call.TryGetProperty("function", out JsonElement function)
                            ? Text(function, "arguments")
                            : Text(call.GetProperty("custom"), "input")
                    ),
            ]
            : [];
        Assert.Equal(made, inputs);
    }

    [Theory]
    [InlineData("{\"input\":\"*** Begin\\n\\\"x\\\" \\u00e4\"}", "*** Begin\n\"x\" ä")]
    [InlineData(" { \"input\" : \"a\" } ", "a")]
    [InlineData("*** Begin", "*** Begin")]
    [InlineData("{\"text\":\"one string\"}", "one string")]
    [InlineData("{\"a\":\"x\",\"b\":\"y\"}", "{\"a\":\"x\",\"b\":\"y\"}")]
    [InlineData("{\"input\":5}", "{\"input\":5}")]
    public async Task The_input_of_a_freeform_tool_is_unwrapped(string written, string input)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement answer = await host.AskAsync($"CALL patch {written}", Patch);
        JsonElement call = answer.GetProperty("choices")[0].GetProperty("message").GetProperty("tool_calls")[0];
        Assert.Equal("custom", Text(call, "type"));
        Assert.Equal(input, Text(call.GetProperty("custom"), "input"));
    }

    [Fact]
    public async Task A_cut_call_keeps_what_came_and_ends_with_length()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement choice = (await host.AskAsync("CUT\nCALL f {\"city\":\"Lis", Tool)).GetProperty("choices")[0];
        Assert.Equal("length", Text(choice, "finish_reason"));
        JsonElement call = choice.GetProperty("message").GetProperty("tool_calls")[0];
        Assert.Equal("{\"city\":\"Lis", Text(call.GetProperty("function"), "arguments"));
    }

    [Fact]
    public async Task Reasoning_is_hidden_where_nobody_wants_it()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement answer = await host.AskAsync("hello", ",\"include_reasoning\":false");
        Assert.False(answer.GetProperty("choices")[0].GetProperty("message").TryGetProperty("reasoning", out _));
    }

    [Fact]
    public async Task A_stream_tells_how_far_the_prompt_is_read()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.StreamPatience = TimeSpan.FromMilliseconds(50)
        );
        List<string> data = await host.StreamAsync("READ 1000 500\nSAY hi", ",\"return_progress\":true");
        JsonElement[] told =
        [
            .. data.SkipLast(1)
                .Select(chunk => JsonElement.Parse(chunk))
                .Where(chunk => chunk.TryGetProperty("prompt_progress", out _))
                .Select(chunk => chunk.GetProperty("prompt_progress")),
        ];
        Assert.InRange(told.Length, 3, 11);
        Assert.All(told, progress => Assert.Equal(1000, Number(progress, "total")));
        Assert.Equal(told.Select(p => Number(p, "processed")).Order(), told.Select(p => Number(p, "processed")));
        Assert.True(told[^1].GetProperty("time_ms").GetInt64() >= told[0].GetProperty("time_ms").GetInt64());
        data = await host.StreamAsync("READ 1000 200\nSAY hi");
        Assert.DoesNotContain(data, chunk => chunk.Contains("prompt_progress", StringComparison.Ordinal));
    }

    private static string Piece(string delta, string finish = "null") =>
        $$"""{"index":0,"delta":{{delta}},"logprobs":null,"finish_reason":{{finish}}}""";

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    private static int Number(JsonElement of, string name) => of.GetProperty(name).GetInt32();
}
