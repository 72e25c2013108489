using System.Net;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>What the model is asked, whichever way a client of Responses tells the conversation.</summary>
public sealed class ResponsesHistoryTests
{
    private const string Tools = ",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]";

    private const string Number = "000102030405060708090a0b0c0d0e0f";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("[{\"role\":\"user\",\"content\":\"a\"}]", "user: a")]
    [InlineData("\"a\"", "user: a")]
    [InlineData("[{\"type\":\"message\",\"role\":\"developer\",\"content\":\"a\"},U]", "system: a|user: u")]
    [InlineData(
        "[U,{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]",
        "user: u|user: a\nb"
    )]
    // A turn whose items have no ids: Codex drops them.
    [InlineData(
        "[U,{\"type\":\"reasoning\",\"summary\":[],\"content\":null,\"encrypted_content\":\"g1.YQ==\"},{\"type\":\"function_call\",\"call_id\":\"call_N\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"call_N\",\"output\":\"r\"}]",
        "user: u|assistant gptoss-N: <a>f({})|tool: =r"
    )]
    // Words for the user before a call, and an answer behind its result.
    [InlineData(
        "[U,{\"type\":\"reasoning\",\"id\":\"rs_N\",\"content\":[{\"type\":\"reasoning_text\",\"text\":\"a\"}]},{\"role\":\"assistant\",\"id\":\"msg_N\",\"phase\":\"commentary\",\"content\":[{\"type\":\"output_text\",\"text\":\"b\"}]},C,O,{\"role\":\"assistant\",\"content\":\"c\"}]",
        "user: u|assistant gptoss-N: <a>bf({})|tool: =r|assistant: c"
    )]
    [InlineData(
        "[U,{\"role\":\"assistant\",\"id\":\"msg_N\",\"phase\":\"commentary\",\"content\":\"b\"},{\"role\":\"assistant\",\"id\":\"msg_N_2\",\"phase\":\"final_answer\",\"content\":\"c\"},U]",
        "user: u|assistant gptoss-N: b\n\nc|user: u"
    )]
    [InlineData(
        "[U,{\"role\":\"assistant\",\"phase\":\"final_answer\",\"content\":\"b\"},{\"role\":\"assistant\",\"phase\":\"final_answer\",\"content\":\"c\"}]",
        "user: u|assistant: b|assistant: c"
    )]
    [InlineData(
        "[U,C,{\"type\":\"function_call\",\"call_id\":\"y\",\"name\":\"f\",\"arguments\":\"{}\"},O,{\"type\":\"function_call_output\",\"call_id\":\"y\",\"output\":\"s\"}]",
        "user: u|assistant: f({})f({})|tool: =r|tool: =s"
    )]
    // A summary is what this server gave in the place of the reasoning, or what another model's maker wrote.
    [InlineData(
        "[U,{\"type\":\"reasoning\",\"id\":\"rs_N\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"}]},{\"role\":\"assistant\",\"content\":\"b\"}]",
        "user: u|assistant gptoss-N: <a>b"
    )]
    [InlineData(
        "[U,{\"type\":\"reasoning\",\"id\":\"rs_other\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"}],\"encrypted_content\":\"gAAA\"},{\"role\":\"assistant\",\"content\":\"b\"}]",
        "user: u|assistant: b"
    )]
    [InlineData(
        "[U,{\"type\":\"function_call\",\"namespace\":\"mcp\",\"call_id\":\"x\",\"name\":\"f\",\"arguments\":\"{ \\\"a\\\":1}\"},{\"type\":\"function_call_output\",\"call_id\":\"x\",\"output\":[{\"type\":\"input_text\",\"text\":\"r\"},{\"type\":\"input_image\",\"image_url\":\"x\"}]}]",
        "user: u|assistant: mcp__f({ \"a\":1})|tool: =r\n[image omitted: the model reads text]"
    )]
    [InlineData(
        "[U,{\"type\":\"custom_tool_call\",\"call_id\":\"x\",\"name\":\"patch\",\"input\":\"*** a\"},{\"type\":\"custom_tool_call_output\",\"call_id\":\"x\",\"output\":\"r\"}]",
        "user: u|assistant: patch(input=*** a)|tool: =r"
    )]
    [InlineData(
        "[U,{\"type\":\"web_search_call\",\"id\":\"ws\"},{\"type\":\"compaction\",\"encrypted_content\":\"x\"},U]",
        "user: u|user: u"
    )]
    public async Task Items_become_messages(string input, string messages)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        string spelled = input
            .Replace("U", "{\"role\":\"user\",\"content\":\"u\"}", StringComparison.Ordinal)
            .Replace("[C", "[" + Call, StringComparison.Ordinal)
            .Replace(",C", "," + Call, StringComparison.Ordinal)
            .Replace(",O", "," + Output, StringComparison.Ordinal)
            .Replace("_N", "_" + Number, StringComparison.Ordinal);
        await AskAsync(host, $$"""{"input":{{spelled}}}""");
        Assert.Equal(messages, Asked(host).Replace(Number, "N", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Instructions_come_first_and_are_not_inherited()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement first = await AskAsync(host, """{"input":"SAY a","instructions":"i"}""");
        Assert.Equal("system: i|user: SAY a", Asked(host));
        string id = first.GetProperty("id").GetString()!;
        await AskAsync(host, $$"""{"input":"b","previous_response_id":"{{id}}"}""");
        Assert.Equal($"user: SAY a|assistant gptoss-{id[5..]}: a|user: b", Asked(host));
    }

    [Fact]
    public async Task A_tool_loop_builds_on_what_is_stored()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement first = await AskAsync(host, $$"""{"input":"THINK a\nNOTE b\nCALL f {\"x\": 1}"{{Tools}}}""");
        string id = first.GetProperty("id").GetString()!,
            number = id[5..];
        JsonElement second = await AskAsync(
            host,
            $$"""{"previous_response_id":"{{id}}","input":[{"type":"function_call_output","call_id":"call_{{number}}","output":"r"}]{{Tools}}}"""
        );
        Assert.Equal(
            $"user: THINK a\nNOTE b\nCALL f {{\"x\": 1}}|assistant gptoss-{number}: <a>bf({{\"x\": 1}})|tool: =r",
            Asked(host)
        );
        Assert.Equal(id, second.GetProperty("previous_response_id").GetString());
        await AskAsync(host, $$"""{"previous_response_id":"{{second.GetProperty("id").GetString()}}","input":"c"}""");
        Assert.EndsWith(
            "|assistant gptoss-" + second.GetProperty("id").GetString()![5..] + ": The tool said: r|user: c",
            Asked(host),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_reference_stands_for_the_stored_item()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement first = await AskAsync(host, $$"""{"input":"THINK a b\nCALL f {}"{{Tools}}}""");
        string number = first.GetProperty("id").GetString()![5..];
        await AskAsync(
            host,
            $$"""
            {"input":[{"role":"user","content":"u"},{"type":"item_reference","id":"rs_{{number}}"},{"id":"fc_{{number}}"},
            {"type":"function_call_output","call_id":"call_{{number}}","output":"r"}]{{Tools}}}
            """
        );
        Assert.Equal($"user: u|assistant gptoss-{number}: <a b>f({{}})|tool: =r", Asked(host));
    }

    [Fact]
    public async Task What_was_sealed_comes_back_opened()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement first = await AskAsync(
            host,
            """{"input":"THINK äß 😀\nSAY b","store":false,"include":["reasoning.encrypted_content"],"reasoning":{"summary":"auto"}}"""
        );
        JsonElement reasoning = first.GetProperty("output")[0];
        string text = reasoning.GetProperty("encrypted_content").GetString()!;
        await AskAsync(
            host,
            $$"""{"input":[{"role":"user","content":"u"},{"type":"reasoning","summary":[],"encrypted_content":"{{text}}"},{"role":"assistant","content":"b"},{"role":"user","content":"v"}]}"""
        );
        Assert.Equal("user: u|assistant: <äß 😀>b|user: v", Asked(host));
    }

    [Fact]
    public async Task A_stored_answer_is_given_back_listed_and_forgotten()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        JsonElement answer = await AskAsync(
            host,
            """{"input":[{"role":"user","content":"a"},{"role":"user","id":"mine","content":"b"}]}"""
        );
        string id = answer.GetProperty("id").GetString()!;
        Assert.Equal(answer.GetRawText(), await host.Client.GetStringAsync($"/v1/responses/{id}", Stop));
        JsonElement items = JsonElement.Parse(await host.Client.GetStringAsync($"/responses/{id}/input_items", Stop));
        Assert.Equal(
            $$"""{"object":"list","data":[{"id":"item_{{id[5..]}}_1","role":"user","content":"a"},{"role":"user","id":"mine","content":"b"}],"first_id":"item_{{id[5..]}}_1","last_id":"mine","has_more":false}""",
            items.GetRawText()
        );
        using HttpResponseMessage deleted = await host.Client.DeleteAsync($"/v1/responses/{id}", Stop);
        Assert.Equal(
            $$"""{"id":"{{id}}","object":"response","deleted":true}""",
            await deleted.Content.ReadAsStringAsync(Stop)
        );
        using HttpResponseMessage gone = await host.Client.GetAsync($"/v1/responses/{id}", Stop);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        using HttpResponseMessage on = await host.PostAsync(
            $$"""{"input":"a","previous_response_id":"{{id}}"}""",
            "/v1/responses"
        );
        Assert.Equal(HttpStatusCode.BadRequest, on.StatusCode);
    }

    [Theory]
    [InlineData(",\"store\":false", 256)]
    [InlineData("", 0)]
    public async Task Nothing_is_stored_where_nobody_wants_it(string more, int most)
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxStored = most);
        JsonElement answer = await AskAsync(host, $$"""{"input":"a"{{more}}}""");
        Assert.False(answer.GetProperty("store").GetBoolean());
        using HttpResponseMessage gone = await host.Client.GetAsync(
            $"/v1/responses/{answer.GetProperty("id").GetString()}",
            Stop
        );
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Nobody_reads_what_another_key_has_stored()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            options.ApiKeys.Add("one");
            options.ApiKeys.Add("two");
        });
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "one");
        string id = (await AskAsync(host, """{"input":"a"}""")).GetProperty("id").GetString()!;
        using HttpResponseMessage own = await host.Client.GetAsync($"/v1/responses/{id}", Stop);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "two");
        using HttpResponseMessage foreign = await host.Client.GetAsync($"/v1/responses/{id}", Stop);
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
        using HttpResponseMessage on = await host.PostAsync(
            $$"""{"input":"a","previous_response_id":"{{id}}"}""",
            "/v1/responses"
        );
        Assert.Equal(HttpStatusCode.BadRequest, on.StatusCode);
        using HttpResponseMessage reference = await host.PostAsync(
            $$"""{"input":[{"type":"item_reference","id":"msg_{{id[5..]}}"}]}""",
            "/v1/responses"
        );
        Assert.Equal(HttpStatusCode.BadRequest, reference.StatusCode);
    }

    private static string Call => """{"type":"function_call","call_id":"x","name":"f","arguments":"{}"}""";

    private static string Output => """{"type":"function_call_output","call_id":"x","output":"r"}""";

    private static async Task<JsonElement> AskAsync(TestHost host, string body)
    {
        using HttpResponseMessage response = await host.PostAsync(body, "/v1/responses");
        string text = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    /// <summary>The messages of the last request: role and id, then reasoning, text, calls and results.</summary>
    private static string Asked(TestHost host) =>
        string.Join(
            '|',
            host.Script.Asked.Last()
                .Messages.Select(message =>
                    $"{message.Role}{(message.MessageId is { } id ? " " + id : "")}: "
                    + string.Concat(message.Contents.Select(Spelled))
                )
        );

    private static string Spelled(AIContent content) =>
        content switch
        {
            TextReasoningContent reasoning => $"<{reasoning.Text}>",
            TextContent text => text.Text,
            FunctionCallContent call => call.RawRepresentation is string arguments
                ? $"{call.Name}({arguments})"
                : $"{call.Name}({string.Join(',', call.Arguments!.Select(pair => $"{pair.Key}={pair.Value}"))})",
            FunctionResultContent result => $"={result.Result}",
            _ => content.GetType().Name,
        };
}
