using System.Net;
using System.Text.Json;
using GptOss.Tests.Chat;

namespace GptOss.AspNetCore.Tests;

/// <summary>Answers whose every token the test writes, as no model would be made to write them.</summary>
public sealed class WrittenAnswerTests
{
    private const string Functions = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]",
        FlatFunctions = "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]",
        Thinking = "\"thinking\":{\"type\":\"adaptive\"}",
        Schemas = "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A model that writes no Harmony, or half of it: every dialect answers with what it wrote.</summary>
    /// <param name="written">What the model writes behind <c>&lt;|start|&gt;assistant</c>.</param>
    /// <param name="reason">The finish reason of Chat Completions.</param>
    /// <param name="told">What the answer must hold, in every dialect.</param>
    [Trait("fault", "F95")]
    [Theory]
    [InlineData("<|channel|>commentary to=functions.nobody<|message|>{\"a\":1}<|call|>", "tool_calls", "nobody")]
    [InlineData("<|channel|>commentary to=functions.f<|message|>{\"a\":<|call|>", "tool_calls", "{\"a\":")]
    [InlineData("<|channel|>commentary to=functions.f<|message|>no JSON<|call|>", "tool_calls", "no JSON")]
    [InlineData("<|message|>Hello<|return|>", "stop", "Hello")]
    [InlineData("<|channel|><|message|>Hello<|return|>", "stop", "Hello")]
    [InlineData("<|channel|>nowhere<|message|>Hello<|return|>", "stop", "Hello")]
    [InlineData("<|channel|>final<|message|>one<|start|>two<|return|>", "stop", "one")]
    [InlineData("<|channel|>final<|message|>one<|message|>two<|return|>", "stop", "one")]
    [InlineData("<|channel|>final<|message|>one<|constrain|>two<|return|>", "stop", "one")]
    [InlineData("<|call|>", "stop", "")]
    [InlineData("<|return|>", "stop", "")]
    [InlineData("<|end|><|end|><|end|><|channel|>final<|message|>Hello<|return|>", "stop", "Hello")]
    [InlineData("<|channel|>analysis<|message|>hmm hmm hmm hmm hmm hmm hmm hmm hmm", "length", "hmm")]
    [InlineData("<|start|><|start|><|start|><|start|><|start|><|start|><|start|><|start|>", "length", "")]
    public async Task It_is_answered_all_the_same(string written, string reason, string told)
    {
        const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";
        string most = $"\":{TokenScript.Count(written)}";
        using GptOssChatClient client = new TokenScript(written) { IsFree = true }.Client();
        await using TestHost host = await TestHost.OverAsync(client);
        string chat = $"{Messages},\"max_tokens{most},{Functions}",
            responses = $"\"input\":\"x\",\"max_output_tokens{most},{FlatFunctions}";
        string[] endings =
        [
            await AnswerAsync(host, "/v1/chat/completions", chat, told),
            await AnswerAsync(host, "/v1/responses", responses, told),
            await AnswerAsync(host, "/v1/messages", $"{Messages},\"max_tokens{most},{Thinking},{Schemas}", told),
        ];
        Assert.Contains($"\"finish_reason\":\"{reason}\"", endings[0]);
        Assert.Contains(reason == "length" ? "\"status\":\"incomplete\"" : "\"status\":\"completed\"", endings[1]);
        Assert.Contains(
            reason switch
            {
                "length" => "\"stop_reason\":\"max_tokens\"",
                "stop" => "\"stop_reason\":\"end_turn\"",
                _ => "\"stop_reason\":\"tool_use\"",
            },
            endings[2]
        );
    }

    [Trait("fault", "F47")]
    [Fact]
    public async Task A_text_ends_before_a_stop_whose_bytes_are_spread_over_tokens()
    {
        const string Text = "👍👎\U0001F469\u200D\U0001F4BB 漢字";
        Assert.True(TokenScript.Count(Text) > 8); // some characters are several tokens
        var script = new TokenScript($"<|channel|>final<|message|>{Text}<|return|>");
        using GptOssChatClient client = script.Client();
        await using TestHost host = await TestHost.OverAsync(client);
        for (int at = 0; at < Text.Length; at++)
        {
            if (char.IsLowSurrogate(Text[at]))
                continue;
            string stop = Text.Substring(at, char.IsHighSurrogate(Text[at]) ? 2 : 1);
            List<string> pieces =
            [
                .. (await host.StreamAsync("x", $",\"stop\":{JsonSerializer.Serialize(stop)}"))
                    .SkipLast(1)
                    .Select(data => JsonElement.Parse(data).GetProperty("choices")[0].GetProperty("delta"))
                    .Select(delta => delta.TryGetProperty("content", out JsonElement text) ? text.GetString()! : ""),
            ];
            Assert.Equal(Text[..Text.IndexOf(stop, StringComparison.Ordinal)], string.Concat(pieces));
            Assert.All(pieces, piece => Assert.DoesNotContain('\uFFFD', piece));
        }
    }

    /// <summary>Asks twice, for a stream and for a whole answer; returns both.</summary>
    private static async Task<string> AnswerAsync(TestHost host, string path, string members, string told)
    {
        using HttpResponseMessage streamed = await host.PostAsync($"{{{members},\"stream\":true}}", path),
            whole = await host.PostAsync($"{{{members}}}", path);
        string frames = await streamed.Content.ReadAsStringAsync(Stop),
            body = await whole.Content.ReadAsStringAsync(Stop);
        Assert.True(streamed.StatusCode == HttpStatusCode.OK, frames);
        Assert.True(whole.StatusCode == HttpStatusCode.OK, body);
        Assert.DoesNotMatch("\"error\":\\{|event: error", frames + body);
        Assert.True(Texts(JsonElement.Parse(body)).Any(text => text.Contains(told, StringComparison.Ordinal)), body);
        return frames + body;
    }

    private static IEnumerable<string> Texts(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
            JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Texts(member.Value)),
            _ => [value.GetRawText()],
        };
}
