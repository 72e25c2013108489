using GptOss.Chat;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>The ids of an answer, all of one number, which a host may choose.</summary>
public sealed class AnswerIdTests
{
    private const string Digits = "00112233445566778899AABBccddeeff";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Digits)]
    [InlineData(null)]
    public async Task Message_response_and_call_have_the_same_digits(string? asked)
    {
        ChatOptions options = Options(new() { AnswerId = asked });
        options.Tools = [Weather(_ => "")];
        List<ChatResponseUpdate> updates = await new TokenScript(Call)
            .Client()
            .GetStreamingResponseAsync("Weather?", options, Stop)
            .ToListAsync(Stop);

        string id = updates[0].MessageId!;
        Assert.Matches("^gptoss-[0-9A-Fa-f]{32}$", id);
        Assert.Equal(asked is null ? id : "gptoss-" + asked, id);
        Assert.All(updates, update => Assert.Equal((id, id), (update.MessageId, update.ResponseId)));
        FunctionCallContent call = updates.SelectMany(update => update.Contents).OfType<FunctionCallContent>().Single();
        Assert.Equal("call_" + id["gptoss-".Length..], call.CallId);
        Assert.Equal(id, AnswerIds.MessageOf(call.CallId));
    }

    [Fact]
    public async Task Two_answers_have_different_ids()
    {
        GptOssChatClient client = new TokenScript(Greeting).Client();
        Assert.NotEqual(
            (await client.GetResponseAsync("Hi", Options(), Stop)).ResponseId,
            (await client.GetResponseAsync("Hi", Options(), Stop)).ResponseId
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("0011223344556677")]
    [InlineData("00112233445566778899aabbccddeef")] // 31
    [InlineData("00112233445566778899aabbccddeeff0")] // 33
    [InlineData("00112233445566778899aabbccddeefg")]
    [InlineData("00112233-4455-6677-8899-aabbccdd")]
    public void Anything_but_32_hexadecimal_digits_is_refused(string id)
    {
        var error = Assert.Throws<ArgumentException>(() => new GptOssRequestOptions { AnswerId = id });
        Assert.Contains("AnswerId must be 32 hexadecimal digits", error.Message);
    }

    [Theory]
    [InlineData("call_1")]
    [InlineData("")]
    [InlineData("toolu_" + Digits)]
    public void The_id_of_another_provider_s_call_names_no_message(string id) => Assert.Null(AnswerIds.MessageOf(id));
}
