using System.Net;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>How messages and blocks become what the model's client is asked.</summary>
public sealed class MessagesHistoryTests
{
    private const string Own = "0123456789abcdef0123456789abcdef";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("\"be brief\"", "system: be brief|user: x")]
    [InlineData(
        "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\",\"cache_control\":{}}]",
        "system: a\nb|user: x"
    )]
    [InlineData(
        "[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: cch=1;\"},{\"type\":\"text\",\"text\":\"b\"}]",
        "system: b|user: x"
    )]
    [InlineData("[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: cch=1;\"}]", "user: x")]
    public async Task What_stands_before_the_messages_is_the_systems(string system, string asked) =>
        Assert.Equal(asked, await AskedAsync("""{"role":"user","content":"x"}""", $",\"system\":{system}"));

    /// <summary>In the words that the tool loop of Anthropic's client for JavaScript understands.</summary>
    [Fact]
    public async Task A_client_that_wants_its_conversation_held_is_told_to_send_it_whole()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using HttpResponseMessage answer = await host.PostAsync(
            TestHost.Question("x", ",\"thread\":{\"type\":\"create\"}"),
            "/v1/messages"
        );
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            "\"details\":{\"error_code\":\"thread_unsupported_request\",\"unsupported\":[\"thread\"]}",
            await answer.Content.ReadAsStringAsync(Stop),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_system_may_speak_anywhere() =>
        Assert.Equal(
            "user: x|assistant: y|system: z|user: w",
            await AskedAsync(
                """
                {"role":"user","content":[{"type":"text","text":"x"}]},{"role":"assistant","content":"y"},
                {"role":"system","content":[{"type":"text","text":"z"}]},{"role":"user","content":"w"}
                """
            )
        );

    [Fact]
    public async Task Results_come_before_what_the_user_says_beside_them() =>
        Assert.Equal(
            $"user: x|assistant: <a>b(call_{Own}:f {{\"n\": [1,  2]}})(mine:f {{}})|tool: call_{Own}=r\ns|tool: mine=Error: t|user: u",
            await AskedAsync(
                $$$"""
                {"role":"user","content":"x"},
                {"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":"g1.YQ=="},{"type":"text","text":"b"},
                {"type":"tool_use","id":"toolu_{{{Own}}}","name":"f","input":{"n": [1,  2]}},
                {"type":"tool_use","id":"mine","name":"f","input":{}}]},
                {"role":"user","content":[{"type":"text","text":"u"},
                {"type":"tool_result","tool_use_id":"toolu_{{{Own}}}","content":[{"type":"text","text":"r"},{"type":"text","text":"s"}]},
                {"type":"tool_result","tool_use_id":"mine","content":"t","is_error":true}]}
                """
            )
        );

    [Theory]
    [InlineData("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"g1.w6Q=\"}", "<ä>")]
    [InlineData("{\"type\":\"thinking\",\"thinking\":\"a\"}", "<a>")]
    [InlineData("{\"type\":\"thinking\",\"thinking\":\"a\",\"signature\":\"EqQBCkYIBxgC\"}", "")]
    [InlineData("{\"type\":\"redacted_thinking\",\"data\":\"x\"}", "")]
    [InlineData("{\"type\":\"server_tool_use\",\"id\":\"x\",\"name\":\"web_search\",\"input\":{}}", "")]
    [InlineData("{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}", "a\nb")]
    public async Task Reasoning_is_taken_that_this_model_thought(string blocks, string answer) =>
        Assert.Equal(
            $"user: x|assistant: {answer}|user: y",
            await AskedAsync(
                $$"""{"role":"user","content":"x"},{"role":"assistant","content":[{{blocks}}]},{"role":"user","content":"y"}"""
            )
        );

    [Fact]
    public async Task Answers_in_a_row_are_one() =>
        Assert.Equal(
            "user: x|assistant: <a>(i:f Lisbon)|tool: i=",
            await AskedAsync(
                """
                {"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"a"}]},
                {"role":"assistant","content":[{"type":"tool_use","id":"i","name":"f","input":{"_raw":"Lisbon"}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"i"}]}
                """
            )
        );

    [Trait("fault", "F112")]
    [Theory]
    [InlineData("""{"role":"user","content":[{"type":"image","source":{}}]}""", null)]
    [InlineData(
        """{"role":"user","content":"x"},{"role":"system","content":"y"},{"role":"user","content":[{"type":"document","source":{}}]}""",
        null
    )]
    [InlineData(
        """{"role":"user","content":[{"type":"image","source":{}}]},{"role":"assistant","content":"y"},{"role":"user","content":"z"}""",
        "user: [image omitted: the model reads text]|assistant: y|user: z"
    )]
    [InlineData(
        """{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"f"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"i","content":[{"type":"image","source":{}}]}]}""",
        "assistant: (i:f {})|tool: i=[image omitted: the model reads text]"
    )]
    [InlineData(
        """{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"f"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"i"},{"type":"image","source":{}}]}""",
        "assistant: (i:f {})|tool: i=|user: [image omitted: the model reads text]"
    )]
    [InlineData(
        """{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"f"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"i"}]},{"role":"user","content":[{"type":"image","source":{}}]}""",
        "assistant: (i:f {})|tool: i=|user: [image omitted: the model reads text]"
    )]
    [InlineData("""{"role":"user","content":[{"type":"document","source":{"type":"text","data":"d"}}]}""", "user: d")]
    public async Task A_picture_is_refused_only_where_somebody_waits_for_it(string messages, string? asked) =>
        Assert.Equal(asked, await AskedAsync(messages));

    [Fact]
    public async Task A_deferred_tool_is_hidden_and_told_where_it_was_found()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        Assert.Equal(
            """
            user: x|assistant: (i:ToolSearch {})|tool: i=// Gets the weather.
            type weather = (_: {
            city: string,
            }) => any;
            ['gone' omitted: it is no tool of this request]
            """,
            await AskedAsync(
                host,
                """
                {"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"ToolSearch"}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"i","content":[
                {"type":"tool_reference","tool_name":"weather"},{"type":"tool_reference","tool_name":"gone"}]}]}
                """,
                """
                ,"tools":[{"name":"ToolSearch","input_schema":{"type":"object"}},{"type":"custom","name":"weather","defer_loading":true,
                "description":"Gets the weather.","input_schema":{"type":"object","properties":{"city":{"type":"string"}},
                "required":["city"]}}]
                """
            )
        );
        AITool[] tools = [.. host.Script.Asked.Single().Options!.Tools!];
        Assert.Equal(["ToolSearch", "weather"], tools.Select(tool => tool.Name));
        Assert.False(tools[0].AdditionalProperties.ContainsKey("harmony.hidden"));
        Assert.Equal(true, tools[1].AdditionalProperties["harmony.hidden"]);
    }

    // A block of 50 bytes may stand for a description of 400,000: a thousand of them would be 400 MB.
    [Theory]
    [InlineData(3, HttpStatusCode.OK)]
    [InlineData(4, HttpStatusCode.RequestEntityTooLarge)]
    public async Task References_to_tools_count_as_if_the_body_held_the_descriptions(int count, HttpStatusCode expected)
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxBodyBytes = 40_000);
        string references = string.Join(',', Enumerable.Repeat("""{"type":"tool_reference","tool_name":"f"}""", count));
        using HttpResponseMessage told = await host.PostAsync(
            $$$"""
            {"max_tokens":9,"tools":[{"name":"f","description":"{{{new string(
                'x',
                12_000
            )}}}","input_schema":{"type":"object"}}],
            "messages":[{"role":"user","content":[{{{references}}}]}]}
            """,
            "/v1/messages"
        );
        Assert.Equal(expected, told.StatusCode);
        string body = await told.Content.ReadAsStringAsync(Stop);
        Assert.Equal(
            expected != HttpStatusCode.OK,
            body.Contains("limit of 40000 bytes together", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("{\"type\":\"auto\"}", null)]
    [InlineData("{\"type\":\"none\"}", "")]
    [InlineData("{\"type\":\"any\",\"disable_parallel_tool_use\":true}", "*")]
    [InlineData("{\"type\":\"tool\",\"name\":\"f\"}", "f")]
    public async Task The_choice_of_a_tool_has_four_words(string choice, string? required)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        await AskedAsync(
            host,
            """{"role":"user","content":"x"}""",
            $$""","tool_choice":{{choice}},"tools":[{"name":"f","input_schema":{"type":"object"},"strict":true}]"""
        );
        ChatOptions options = host.Script.Asked.Single().Options!;
        ChatToolMode expected =
            required is null ? ChatToolMode.Auto
            : required.Length == 0 ? ChatToolMode.None
            : required == "*" ? ChatToolMode.RequireAny
            : ChatToolMode.RequireSpecific(required);
        Assert.Equal(expected, options.ToolMode);
        Assert.Equal(true, Assert.Single(options.Tools!).AdditionalProperties["strict"]);
    }

    [Theory]
    [InlineData("output_config")]
    [InlineData("output_format")]
    public async Task Form_effort_and_limits_reach_the_model(string place)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        const string Format = """{"type":"json_schema","schema":{"type":"object"}}""";
        string form =
            place == "output_format"
                ? $"\"output_format\":{Format},\"output_config\":{{\"effort\":\"max\"}}"
                : $"\"output_config\":{{\"effort\":\"max\",\"format\":{Format}}}";
        await AskedAsync(host, """{"role":"user","content":"x"}""", $",\"max_tokens\":9,\"top_k\":3,{form}");
        ChatOptions options = host.Script.Asked.Single().Options!;
        Assert.Equal((9, 3), (options.MaxOutputTokens, options.TopK));
        Assert.Equal(ReasoningEffort.High, options.Reasoning!.Effort);
        Assert.Equal(
            """{"type":"object"}""",
            ((ChatResponseFormatJson)options.ResponseFormat!).Schema!.Value.GetRawText()
        );
    }

    /// <summary>The messages that the model's client was asked with; null where the server refused them.</summary>
    private static async Task<string?> AskedAsync(string messages, string more = "")
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        return await AskedAsync(host, messages, more);
    }

    private static async Task<string?> AskedAsync(TestHost host, string messages, string more)
    {
        using HttpResponseMessage response = await host.PostAsync(
            $"{{\"messages\":[{messages}]{more}}}",
            "/v1/messages"
        );
        if (response.StatusCode == HttpStatusCode.BadRequest)
            return null;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return string.Join(
            '|',
            host.Script.Asked.Single()
                .Messages.Select(message => $"{message.Role}: {string.Concat(message.Contents.Select(Spelled))}")
        );
    }

    private static string Spelled(AIContent content) =>
        content switch
        {
            TextReasoningContent reasoning => $"<{reasoning.Text}>",
            TextContent text => text.Text,
            FunctionCallContent call => $"({call.CallId}:{call.Name} {call.RawRepresentation})",
            FunctionResultContent result => $"{result.CallId}={result.Result}",
            _ => content.GetType().Name,
        };
}
