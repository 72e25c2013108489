using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>Messages over the tiny model.</summary>
public sealed partial class MessagesTinyTests(TinyServer tiny)
{
    private const string Weather = """
        {"name":"get_current_weather","description":"Gets the current weather in the provided location.","input_schema":
        {"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}}
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_thinks_and_answers()
    {
        JsonElement answer = await AskAsync(
            TestHost.Question("What is 345 + 678?", ",\"temperature\":0,\"thinking\":{\"type\":\"adaptive\"}")
        );
        JsonElement[] content = [.. answer.GetProperty("content").EnumerateArray()];
        Assert.Equal(["thinking", "text"], content.Select(NamedFrames.Type));
        Assert.Contains("1023", content[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal("end_turn", answer.GetProperty("stop_reason").GetString());
    }

    [Theory]
    [InlineData(",\"max_tokens\":5", "max_tokens", null)]
    [InlineData(",\"stop_sequences\":[\"x\",\"2\"]", "stop_sequence", "2")]
    public async Task It_says_what_ended_it(string more, string reason, string? stop)
    {
        JsonElement answer = await AskAsync(TestHost.Question("What is 345 + 678?", ",\"temperature\":0" + more));
        Assert.Equal(reason, answer.GetProperty("stop_reason").GetString());
        Assert.Equal(stop, answer.GetProperty("stop_sequence").GetString());
    }

    [Fact]
    public async Task An_answer_that_fills_the_context_says_so()
    {
        const int Most = 4096;
        string text = "a ";
        for (int room = Most - await CountAsync(TestHost.Question(text)); room > 20; )
        {
            text += string.Concat(Enumerable.Repeat("a ", room / 4));
            room = Most - await CountAsync(TestHost.Question(text));
        }
        JsonElement answer = await AskAsync(TestHost.Question(text, ",\"max_tokens\":32000,\"temperature\":0"));
        Assert.Equal("model_context_window_exceeded", answer.GetProperty("stop_reason").GetString());
    }

    [Fact]
    public async Task A_prompt_that_is_too_long_is_told_with_both_numbers()
    {
        string question = TestHost.Question(string.Concat(Enumerable.Repeat("a ", 5000)));
        using HttpResponseMessage response = await tiny.Host.PostAsync(question, "/v1/messages");
        string message = JsonElement
            .Parse(await response.Content.ReadAsStringAsync(Stop))
            .GetProperty("error")
            .GetProperty("message")
            .GetString()!;
        Assert.Equal(400, (int)response.StatusCode);
        Match numbers = TooLong().Match(message);
        Assert.True(numbers.Success, message);
        Assert.Equal((await CountAsync(question)).ToString(CultureInfo.InvariantCulture), numbers.Groups[1].Value);
        Assert.Equal("4096", numbers.Groups[2].Value);
    }

    [Fact]
    public async Task Tokens_are_counted_as_the_answer_counts_them()
    {
        const string Body =
            """{"system":"Be brief.","messages":[{"role":"user","content":"What is 345 + 678?"}],"max_tokens":1}""";
        JsonElement usage = (await AskAsync(Body)).GetProperty("usage");
        Assert.Equal(
            await CountAsync(Body),
            usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32()
        );
    }

    [Trait("fault", "F109")]
    [Fact]
    public async Task A_tool_loop_keeps_what_the_client_has_dropped()
    {
        const string Question = "What is the weather like in Tokyo?";
        string more = $",\"temperature\":0,\"thinking\":{{\"type\":\"enabled\"}},\"tools\":[{Weather}]";
        JsonElement first = await AskAsync(TestHost.Question(Question, more));
        Assert.Equal("tool_use", first.GetProperty("stop_reason").GetString());
        JsonElement[] blocks = [.. first.GetProperty("content").EnumerateArray()];
        JsonElement call = blocks[^1];
        Assert.Equal("thinking", NamedFrames.Type(blocks[0]));
        string id = call.GetProperty("id").GetString()!;
        Assert.Equal(first.GetProperty("id").GetString()!["msg_".Length..], id["toolu_".Length..]);
        string History(string answer, string callId) =>
            $$"""
                {"messages":[{"role":"user","content":"{{Question}}"},{"role":"assistant","content":{{answer}}},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"{{callId}}","content":
                "{\"condition\":\"sunny\",\"temperature\":24}"}]}]{{more}}}
                """;
        string Call(string callId) =>
            $$"""
                [{"type":"tool_use","id":"{{callId}}","name":"get_current_weather","input":  { "location" :
                {{call.GetProperty("input").GetProperty("location").GetRawText()}} } }]
                """;
        int whole = await CountAsync(History(first.GetProperty("content").GetRawText(), id)),
            dropped = await CountAsync(History(Call(id), id)),
            foreign = await CountAsync(History(Call("toolu_x"), "toolu_x"));
        Assert.Equal(whole, dropped);
        Assert.True(foreign < whole, $"{foreign} and {whole}");
        JsonElement second = await AskAsync(History(Call(id), id));
        Assert.Contains("24", second.GetProperty("content").GetRawText(), StringComparison.Ordinal);
        int cached = second.GetProperty("usage").GetProperty("cache_read_input_tokens").GetInt32();
        JsonElement usage = first.GetProperty("usage");
        int prompt =
            usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32();
        Assert.InRange(cached, prompt, whole);
    }

    [Fact]
    public async Task A_deferred_tool_costs_nothing_until_it_is_found()
    {
        string question = TestHost.Question("x"),
            listed = TestHost.Question("x", $",\"tools\":[{Weather}]"),
            hidden = TestHost.Question("x", $",\"tools\":[{Weather.TrimEnd()[..^1]},\"defer_loading\":true}}]");
        int without = await CountAsync(question);
        Assert.Equal(without, await CountAsync(hidden));
        Assert.True(await CountAsync(listed) > without);
    }

    private async Task<JsonElement> AskAsync(string body, string path = "/v1/messages")
    {
        using HttpResponseMessage response = await tiny.Host.PostAsync(body, path);
        string text = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }

    private async Task<int> CountAsync(string body)
    {
        JsonElement count = await AskAsync(body, "/v1/messages/count_tokens");
        Assert.Equal("input_tokens", Assert.Single(count.EnumerateObject()).Name);
        return count.GetProperty("input_tokens").GetInt32();
    }

    [GeneratedRegex(@"\Aprompt is too long: ([0-9]+) tokens > ([0-9]+) maximum\z")]
    private static partial Regex TooLong();
}
