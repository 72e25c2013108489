using System.Net;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>Responses over the tiny model, from the request to the last token.</summary>
public sealed class TinyResponsesTests(TinyServer tiny)
{
    private const string Tools = """
        ,"temperature":0,"tools":[{"type":"function","name":"get_current_weather","description":
        "Gets the current weather in the provided location.","parameters":{"type":"object","properties":
        {"location":{"type":"string"}},"required":["location"]}}]
        """;

    private const string Question = "What is the weather like in Tokyo?";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_agrees_with_its_response()
    {
        ResponsesStream stream = await ResponsesStream.AskAsync(
            tiny.Host,
            """{"input":"What is 345 + 678?","temperature":0,"stream":true,"top_logprobs":2,"include":["message.output_text.logprobs"]}"""
        );
        JsonElement message = stream.Response.GetProperty("output").EnumerateArray().Last();
        Assert.Contains("1023", ResponsesStream.Words(message), StringComparison.Ordinal);
        JsonElement[] tokens = [.. message.GetProperty("content")[0].GetProperty("logprobs").EnumerateArray()];
        Assert.Equal(
            ResponsesStream.Words(message),
            string.Concat(tokens.Select(token => token.GetProperty("token").GetString()))
        );
        Assert.All(tokens, token => Assert.Equal(2, token.GetProperty("top_logprobs").GetArrayLength()));
    }

    [Theory]
    [InlineData("stored")]
    [InlineData("sent")]
    [InlineData("stripped")]
    public async Task A_tool_loop_comes_to_its_answer_and_finds_its_prompt_again(string how)
    {
        JsonElement first = await AskAsync($$"""{"input":"{{Question}}"{{Tools}}}""");
        JsonElement[] output = [.. first.GetProperty("output").EnumerateArray()];
        JsonElement call = output.Single(item => item.GetProperty("type").GetString() == "function_call");
        string id = call.GetProperty("call_id").GetString()!,
            arguments = call.GetProperty("arguments").GetString()!,
            user = $$"""{"role":"user","content":"{{Question}}"}""",
            result =
                $$"""{"type":"function_call_output","call_id":"{{id}}","output":"{\"condition\":\"sunny\",\"temperature\":24}"}""";
        // Reasoning dropped, ids dropped, arguments written anew: the call's id alone says which answer it was.
        string stripped =
            $$"""{"type":"function_call","call_id":"{{id}}","name":"get_current_weather","arguments":{{JsonSerializer.Serialize(" " + arguments)}}}""";
        string body = how switch
        {
            "stored" =>
                $$"""{"previous_response_id":"{{first.GetProperty("id").GetString()}}","input":[{{result}}]{{Tools}}}""",
            "sent" =>
                $$"""{"input":[{{user}},{{string.Join(',', output.Select(item => item.GetRawText()))}},{{result}}]{{Tools}}}""",
            _ => $$"""{"input":[{{user}},{{stripped}},{{result}}]{{Tools}}}""",
        };
        JsonElement second = await AskAsync(body);
        JsonElement usage = second.GetProperty("usage");
        // All that was read and written before is found again, but for the last two tokens: without the
        // reasoning the prompt would differ from the question on, some 60 tokens earlier.
        int known = first.GetProperty("usage").GetProperty("total_tokens").GetInt32(),
            read = usage.GetProperty("input_tokens").GetInt32(),
            cached = usage.GetProperty("input_tokens_details").GetProperty("cached_tokens").GetInt32();
        Assert.InRange(cached, known - 2, read);
        Assert.Contains("24", second.GetProperty("output").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_prompt_is_counted_without_the_model()
    {
        const string Body = $$"""{"input":"{{Question}}","instructions":"Be brief."{{Tools}},"max_output_tokens":1}""";
        using HttpResponseMessage response = await tiny.Host.PostAsync(Body, "/v1/responses/input_tokens");
        JsonElement counted = JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop));
        int asked = (await AskAsync(Body)).GetProperty("usage").GetProperty("input_tokens").GetInt32();
        Assert.Equal($$"""{"object":"response.input_tokens","input_tokens":{{asked}}}""", counted.GetRawText());
    }

    private async Task<JsonElement> AskAsync(string body)
    {
        using HttpResponseMessage response = await tiny.Host.PostAsync(body, "/v1/responses");
        string text = await response.Content.ReadAsStringAsync(Stop);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }
}
