using System.Net;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Tests;

/// <summary>The text of answers of the tiny model, where it is cut, steered or odd.</summary>
public sealed class TinyStreamTests(TinyServer tiny)
{
    private const string Sum = "What is 345 + 678?";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Trait("fault", "F47")]
    [Fact]
    public async Task A_text_ends_before_its_stop_wherever_the_tokens_lie()
    {
        const string More = ",\"temperature\":0";
        string whole = Content(await tiny.Host.AskAsync(Sum, More));
        for (int at = 1; at < whole.Length; at++)
        {
            // Some of a token, a whole one, or parts of two.
            string stop = whole[at..Math.Min(whole.Length, at + 2)],
                expected = whole[..whole.IndexOf(stop, StringComparison.Ordinal)];
            List<string> pieces = await PiecesAsync(Sum, $"{More},\"stop\":{JsonSerializer.Serialize(stop)}");
            Assert.Equal(expected, string.Concat(pieces));
        }
    }

    [Trait("fault", "F94")]
    [Fact]
    public async Task No_piece_of_a_stream_is_half_a_character()
    {
        const string Text = "👍👎\U0001F469\u200D\U0001F4BB 漢字 é";
        List<string> pieces = await PiecesAsync(Sum, Forcing(Text));
        Assert.Equal(Text, JsonElement.Parse(string.Concat(pieces)).GetString());
        Assert.True(pieces.Count > 3);
        Assert.All(pieces, piece =>
        {
            Assert.DoesNotContain('\uFFFD', piece);
            Assert.False(char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1]));
        });
    }

    [Trait("fault", "F83")]
    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(9)]
    public async Task An_answer_in_a_schema_that_is_cut_is_the_beginning_of_one(int extra)
    {
        const string Schema = "[\"an answer that is long enough to be cut\"]";
        string more = Forcing(Schema);
        JsonElement whole = await tiny.Host.AskAsync(Sum, more);
        int tokens = whole.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
        JsonElement cut = await tiny.Host.AskAsync(Sum, $"{more},\"max_tokens\":{tokens - extra}");
        Assert.Equal("length", cut.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.StartsWith(Content(cut), Content(whole), StringComparison.Ordinal);
        Assert.True(Content(cut).Length < Content(whole).Length);
    }

    [Trait("fault", "F95")]
    [Theory]
    [InlineData("<|start|>")]
    [InlineData("<|end|>")]
    [InlineData("<|message|>")]
    [InlineData("<|channel|>")]
    [InlineData("<|constrain|>")]
    [InlineData("<|call|>")]
    [InlineData("<|return|>")]
    public async Task A_model_that_writes_no_harmony_is_answered_all_the_same(string token)
    {
        int id = tiny.Client.GetService<GptOssTokenizer>()!.SpecialTokens[token];
        foreach (string bias in (string[])["100", "30", "15"])
        foreach (string stream in (string[])["", ",\"stream\":true"])
        {
            using HttpResponseMessage response = await tiny.Host.PostAsync(
                TestHost.Question(
                    Sum,
                    $"{stream},\"seed\":1,\"max_tokens\":40,\"logit_bias\":{{\"{id}\":{bias}}}"
                        + ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"
                )
            );
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            string body = await response.Content.ReadAsStringAsync(Stop);
            Assert.Matches("\"finish_reason\":\"(stop|length|tool_calls)\"", body);
            Assert.DoesNotContain("\"error\"", body);
        }
    }

    [Trait("fault", "F81")]
    [Fact]
    public async Task Each_of_many_schemas_is_held_to()
    {
        int count = Long.IsLong ? 10_000 : 30;
        await Parallel.ForAsync(0, count, Stop, async (i, _) =>
        {
            JsonElement answer = await tiny.Host.AskAsync(Sum, Forcing($"schema {i}"));
            Assert.Equal($"\"schema {i}\"", Content(answer));
        });
    }

    /// <summary>Lets the model answer nothing but this text, as a string of JSON.</summary>
    private static string Forcing(string text) =>
        ",\"temperature\":0,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"one\",\"schema\":{\"const\":"
        + JsonSerializer.Serialize(text)
        + "}}}";

    private static string Content(JsonElement answer) =>
        answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    private async Task<List<string>> PiecesAsync(string question, string more) =>
        [
            .. (await tiny.Host.StreamAsync(question, more))
                .Where(data => data != "[DONE]")
                .Select(data => JsonElement.Parse(data).GetProperty("choices")[0].GetProperty("delta"))
                .Select(delta => delta.TryGetProperty("content", out JsonElement text) ? text.GetString()! : "")
                .Where(piece => piece.Length > 0),
        ];
}
