using System.Net;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests;

/// <summary>Chat Completions over the tiny model, from the request to the last token.</summary>
public sealed class TinyChatTests(TinyServer tiny)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_thinks_and_answers()
    {
        JsonElement answer = await tiny.Host.AskAsync("What is 345 + 678?", ",\"temperature\":0");
        JsonElement message = answer.GetProperty("choices")[0].GetProperty("message");
        Assert.Contains("1023", message.GetProperty("content").GetString(), StringComparison.Ordinal);
        Assert.NotEqual("", message.GetProperty("reasoning").GetString());
        JsonElement usage = answer.GetProperty("usage");
        Assert.Equal(
            usage.GetProperty("total_tokens").GetInt32(),
            usage.GetProperty("prompt_tokens").GetInt32() + usage.GetProperty("completion_tokens").GetInt32()
        );
        Assert.Matches("^gptoss-[0-9][^-]*(-.*)?-[0-9a-f]{8}$", answer.GetProperty("system_fingerprint").GetString());
    }

    [Trait("fault", "F109")]
    [Fact]
    public async Task A_tool_loop_comes_to_its_answer_though_the_client_drops_the_reasoning()
    {
        const string Tools = """
            ,"temperature":0,"tools":[{"type":"function","function":{"name":"get_current_weather","description":
            "Gets the current weather in the provided location.","parameters":{"type":"object","properties":
            {"location":{"type":"string"}},"required":["location"]}}}]
            """;
        const string Question = "What is the weather like in Tokyo?";
        JsonElement first = await tiny.Host.AskAsync(Question, Tools);
        JsonElement choice = first.GetProperty("choices")[0];
        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        JsonElement call = choice.GetProperty("message").GetProperty("tool_calls")[0];
        string id = call.GetProperty("id").GetString()!,
            arguments = call.GetProperty("function").GetProperty("arguments").GetString()!;
        Assert.Equal(first.GetProperty("id").GetString()!["chatcmpl-".Length..], id["call_".Length..]);
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(arguments).ValueKind);
        string history = $$"""
            {"messages":[{"role":"user","content":"{{Question}}"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"{{id}}","type":"function","function":
            {"name":"get_current_weather","arguments":{{JsonSerializer.Serialize(" " + arguments)}} } }]},
            {"role":"tool","tool_call_id":"{{id}}","content":"{\"condition\":\"sunny\",\"temperature\":24}"}]{{Tools}}}
            """;
        using HttpResponseMessage response = await tiny.Host.PostAsync(history);
        string body = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.IsSuccessStatusCode, body);
        JsonElement usage = JsonElement.Parse(body).GetProperty("usage");
        Assert.InRange(usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32(), 64, 4096);
        Assert.Contains("24", JsonElement.Parse(body).GetProperty("choices")[0].GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_that_is_too_long_has_its_status_however_long_it_takes_to_count()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client, options =>
            options.StreamPatience = TimeSpan.FromMilliseconds(1)
        );
        string text = string.Concat(Enumerable.Repeat("a\u0301", 500_000));
        using HttpResponseMessage response = await host.PostAsync(
            $$"""{"stream":true,"messages":[{"role":"user","content":"{{text}}"}]}"""
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task An_answer_fits_its_schema()
    {
        JsonElement answer = await tiny.Host.AskAsync(
            "Give me a city.",
            """
            ,"max_tokens":200,"response_format":{"type":"json_schema","json_schema":{"name":"city","strict":true,"schema":{"type":
            "object","properties":{"size":{"enum":["small","large"]},"old":{"type":"boolean"}},"required":["size","old"]}}}
            """
        );
        JsonElement choice = answer.GetProperty("choices")[0];
        Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
        JsonElement made = JsonElement.Parse(choice.GetProperty("message").GetProperty("content").GetString()!);
        Assert.Contains(made.GetProperty("size").GetString(), (string[])["small", "large"]);
        Assert.Contains(made.GetProperty("old").ValueKind, (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
    }

    [Fact]
    public async Task A_strict_tool_that_cannot_be_held_to_is_refused_with_its_place()
    {
        using HttpResponseMessage response = await tiny.Host.PostAsync(
            TestHost.Question(
                "x",
                """
                ,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object",
                "properties":{"a":{"type":"string","pattern":"("}}}}}]
                """
            )
        );
        JsonElement error = JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop)).GetProperty("error");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_schema", error.GetProperty("code").GetString());
        Assert.Equal("tools[0].function.parameters", error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task Probabilities_spell_the_text()
    {
        JsonElement answer = await tiny.Host.AskAsync(
            "What is 345 + 678?",
            ",\"temperature\":0,\"logprobs\":true,\"top_logprobs\":2"
        );
        JsonElement choice = answer.GetProperty("choices")[0];
        JsonElement[] tokens = [.. choice.GetProperty("logprobs").GetProperty("content").EnumerateArray()];
        byte[] spelled =
        [
            .. tokens.SelectMany(token => token.GetProperty("bytes").EnumerateArray().Select(b => b.GetByte())),
        ];
        Assert.Equal(
            choice.GetProperty("message").GetProperty("content").GetString(),
            System.Text.Encoding.UTF8.GetString(spelled)
        );
        Assert.All(tokens, token => Assert.Equal(2, token.GetProperty("top_logprobs").GetArrayLength()));
        Assert.All(tokens, token => Assert.InRange(token.GetProperty("logprob").GetDouble(), -9999, 0));
    }

    [Trait("fault", "F96")]
    [Theory]
    [InlineData("What is 345 + 678?", ",\"stop\":\"2\"", "stop")]
    [InlineData("What is 345 + 678?", ",\"max_tokens\":5", "length")]
    [InlineData("What is 345 + 678?", "", "stop")]
    public async Task It_says_why_it_ended(string question, string more, string reason)
    {
        JsonElement answer = await tiny.Host.AskAsync(question, ",\"temperature\":0" + more);
        JsonElement choice = answer.GetProperty("choices")[0];
        Assert.Equal(reason, choice.GetProperty("finish_reason").GetString());
        if (more.Contains("stop", StringComparison.Ordinal))
            Assert.DoesNotContain("2", choice.GetProperty("message").GetProperty("content").GetString()!);
    }

    [Trait("fault", "F106")]
    [Fact]
    public async Task The_same_seed_gives_the_same_answer_a_hundred_times()
    {
        string? Answer(JsonElement answer) =>
            answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
        const string More = ",\"seed\":7,\"max_tokens\":20";
        string? first = Answer(await tiny.Host.AskAsync("Say something.", More));
        JsonElement[] all = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(_ => tiny.Host.AskAsync("Say something.", More))
        );
        Assert.All(all, answer => Assert.Equal(first, Answer(answer)));
    }

    [Fact]
    public async Task Texts_and_conversations_are_counted()
    {
        using HttpResponseMessage text = await tiny.Host.PostAsync("""{"content":"hello <|end|>"}""", "/tokenize");
        JsonElement counted = JsonElement.Parse(await text.Content.ReadAsStringAsync(Stop));
        Assert.Equal(counted.GetProperty("count").GetInt32(), counted.GetProperty("tokens").GetArrayLength());
        Assert.Equal(4096, counted.GetProperty("max_model_len").GetInt32());
        const string Body = """{"messages":[{"role":"user","content":"What is 345 + 678?"}]}""";
        using HttpResponseMessage chat = await tiny.Host.PostAsync(Body, "/v1/tokenize");
        counted = JsonElement.Parse(await chat.Content.ReadAsStringAsync(Stop));
        JsonElement answer = await tiny.Host.AskAsync("What is 345 + 678?", ",\"max_tokens\":1");
        Assert.Equal(
            answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(),
            counted.GetProperty("count").GetInt32()
        );
    }
}
