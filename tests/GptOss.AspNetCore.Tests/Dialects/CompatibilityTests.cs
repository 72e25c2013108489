using System.Net;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>
/// What OpenAI's compatibility test for gpt-oss demands of a server, for 30 calls of six tools: a call with arguments
/// as the model wrote them, reasoning that is there, and an answer behind the result; in both dialects, streamed and
/// not. The words are the script's: what is tried is their way through the server and back.
/// </summary>
public sealed class CompatibilityTests
{
    private static readonly Dictionary<string, string> Schemas = new()
    {
        ["get_system_health"] = """{"type":"object","properties":{}}""",
        ["markdown_to_html"] =
            """{"type":"object","properties":{"markdown":{"type":"string"}},"required":["markdown"],"additionalProperties":false}""",
        ["detect_language"] =
            """{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}""",
        ["generate_chart"] =
            """{"type":"object","properties":{"data":{"type":"array","items":{"type":"array","items":{"type":"number"}}},"chart_type":{"enum":["line","bar","scatter"]},"title":{"type":"string","default":""}},"required":["data","chart_type"]}""",
        ["query_database"] =
            """{"type":"object","properties":{"table":{"type":"string"},"columns":{"type":"array","items":{"type":"string"}},"limit":{"type":"integer","minimum":1,"maximum":10000,"default":100}},"required":["table","columns"]}""",
        ["get_weather"] =
            """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""",
    };

    private static readonly (string Tool, string[] Arguments)[] Calls =
    [
        ("get_system_health", ["{}", "{ }", "{}", "{}", "{}"]),
        (
            "markdown_to_html",
            [
                """{"markdown":"# One\n\ntwo"}""",
                """{"markdown":"- a\n- b"}""",
                """{"markdown":"**bold** _x_"}""",
                """{"markdown":"`a < b && c`"}""",
                """{"markdown":"[x](http://y/?a=1&b=2)"}""",
            ]
        ),
        (
            "detect_language",
            [
                """{"text":"Wie spät ist es?"}""",
                """{"text":"今日はいい天気です"}""",
                """{"text":"¿Dónde está la biblioteca?"}""",
                """{"text":"\u041f\u0440\u0438\u0432\u0435\u0442"}""",
                """{"text":"مرحبا 😀"}""",
            ]
        ),
        (
            "generate_chart",
            [
                """{"data":[[1,2],[3,4.5]],"chart_type":"line"}""",
                """{"data":[[1e3,-2]],"chart_type":"bar","title":""}""",
                """{"data":[],"chart_type":"scatter","title":"None"}""",
                """{"chart_type":"bar","data":[[0.1,0.2,0.3]]}""",
                """{"data":[[1],[2],[3]],"chart_type":"line","title":"A \"b\" c"}""",
            ]
        ),
        (
            "query_database",
            [
                """{"table":"users","columns":["id","email"],"limit":20}""",
                """{"table":"orders","columns":["id"]}""",
                """{"table":"log","columns":[],"limit":10000}""",
                """{"columns":["a","b","c"],"table":"t","limit":1}""",
                """{"table":"products","columns":["name","price"],"limit":100}""",
            ]
        ),
        (
            "get_weather",
            [
                """{"city":"Lisbon"}""",
                """{"city":"São Paulo"}""",
                """{"city":"Köln"}""",
                """{"city":"東京"}""",
                """{"city":"St. John's"}""",
            ]
        ),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_case_passes_in_chat(bool isStreamed)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        int passed = 0;
        foreach ((string tool, string arguments) in Cases())
        {
            string tools = $$"""
                ,"tools":[{"type":"function","function":{"name":"{{tool}}","strict":false,"parameters":{{Schemas[
                    tool
                ]}} } }]
                """;
            string question = Question(tool, arguments);
            (string reasoning, JsonElement call) = isStreamed
                ? Joined(await host.StreamAsync(question, tools))
                : Whole(await host.AskAsync(question, tools));
            JsonElement function = call.GetProperty("function");
            Assert.NotEqual("", reasoning);
            Assert.Equal((tool, arguments), (Text(function, "name"), Text(function, "arguments")));
            string id = Text(call, "id");
            JsonElement answer = await AskAsync(
                host,
                "/v1/chat/completions",
                $$"""
                {"messages":[{"role":"user","content":{{Spelled(
                    question
                )}}},{"role":"assistant","content":null,"tool_calls":[{{call.GetRawText()}}]},
                {"role":"tool","tool_call_id":"{{id}}","content":"{\"ok\":true}"}]{{tools}}}
                """
            );
            JsonElement choice = answer.GetProperty("choices")[0];
            Assert.Equal("stop", Text(choice, "finish_reason"));
            Assert.Contains("\"ok\":true", Text(choice.GetProperty("message"), "content"), StringComparison.Ordinal);
            passed++;
        }
        Assert.Equal(30, passed);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Every_case_passes_in_responses(bool isStreamed, bool isStored)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        int passed = 0;
        foreach ((string tool, string arguments) in Cases())
        {
            string tools = $$"""
                ,"tools":[{"type":"function","name":"{{tool}}","strict":false,"parameters":{{Schemas[tool]}}}]
                """;
            string asked = $$"""{"type":"message","role":"user","content":{{Spelled(Question(tool, arguments))}}}""",
                body = $$"""{"input":[{{asked}}],"stream":{{(isStreamed ? "true" : "false")}}{{tools}}}""";
            JsonElement first;
            if (isStreamed)
            {
                ResponsesStream stream = await ResponsesStream.AskAsync(host, body);
                Assert.Contains("response.reasoning_text.delta", stream.Types);
                Assert.Contains("response.reasoning_text.done", stream.Types);
                first = stream.Response;
            }
            else
                first = await AskAsync(host, "/v1/responses", body);
            JsonElement[] output = [.. first.GetProperty("output").EnumerateArray()];
            JsonElement reasoning = output.Last(item => Text(item, "type") == "reasoning");
            Assert.All(reasoning.GetProperty("content").EnumerateArray(), part =>
                Assert.True(Text(part, "type") == "reasoning_text" && Text(part, "text").Length > 0)
            );
            Assert.NotEqual(0, reasoning.GetProperty("content").GetArrayLength());
            JsonElement call = output.First(item => Text(item, "type") == "function_call");
            Assert.Equal((tool, arguments), (Text(call, "name"), Text(call, "arguments")));
            string result =
                    $$"""{"type":"function_call_output","call_id":"{{Text(call, "call_id")}}","output":"{\"ok\":true}"}""",
                before = string.Join(',', output.Select(item => item.GetRawText())),
                next = isStored
                    ? $$"""{"previous_response_id":"{{Text(first, "id")}}","input":[{{result}}]{{tools}}}"""
                    : $$"""{"input":[{{asked}},{{before}},{{result}}]{{tools}}}""";
            JsonElement answer = await AskAsync(host, "/v1/responses", next);
            Assert.Equal("completed", Text(answer, "status"));
            Assert.Contains(
                "\"ok\":true",
                ResponsesStream.Words(answer.GetProperty("output").EnumerateArray().Last()),
                StringComparison.Ordinal
            );
            passed++;
        }
        Assert.Equal(30, passed);
    }

    private static IEnumerable<(string Tool, string Arguments)> Cases() =>
        Calls.SelectMany(call => call.Arguments.Select(arguments => (call.Tool, arguments)));

    private static string Question(string tool, string arguments) => $"THINK I use {tool}.\nCALL {tool} {arguments}";

    private static string Spelled(string text) => JsonSerializer.Serialize(text);

    private static (string Reasoning, JsonElement Call) Whole(JsonElement answer)
    {
        JsonElement message = answer.GetProperty("choices")[0].GetProperty("message");
        Assert.Equal("assistant", Text(message, "role"));
        Assert.Equal(JsonValueKind.Null, message.GetProperty("refusal").ValueKind);
        return (Text(message, "reasoning"), message.GetProperty("tool_calls")[0]);
    }

    private static (string Reasoning, JsonElement Call) Joined(List<string> data)
    {
        string reasoning = "",
            id = "",
            name = "",
            arguments = "";
        foreach (string chunk in data.SkipLast(1))
        {
            JsonElement delta = JsonElement.Parse(chunk).GetProperty("choices")[0].GetProperty("delta");
            reasoning += delta.TryGetProperty("reasoning", out JsonElement piece) ? piece.GetString() : "";
            if (!delta.TryGetProperty("tool_calls", out JsonElement calls))
                continue;
            JsonElement function = calls[0].GetProperty("function");
            arguments += Text(function, "arguments");
            if (calls[0].TryGetProperty("id", out JsonElement given))
                (id, name) = (given.GetString()!, Text(function, "name"));
        }
        return (
            reasoning,
            JsonElement.Parse(
                $$"""{"id":"{{id}}","type":"function","function":{"name":"{{name}}","arguments":{{Spelled(arguments)}} } }"""
            )
        );
    }

    private static async Task<JsonElement> AskAsync(TestHost host, string path, string body)
    {
        using HttpResponseMessage response = await host.PostAsync(body, path);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;
}
