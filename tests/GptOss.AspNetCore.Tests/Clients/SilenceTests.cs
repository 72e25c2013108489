#pragma warning disable OPENAI001 // the client of Responses is marked as a preview
using System.ClientModel;
using System.Diagnostics;
using Anthropic;
using Microsoft.Extensions.AI;
using OpenAI;

namespace GptOss.AspNetCore.Tests.Clients;

/// <summary>
/// A prompt that takes long to read, with each dialect's own client: one request, and its answer. The suite runs it at
/// a tenth of a second in the place of ten; in full it is the 330 seconds at which clients that count no sign of life
/// have given up.
/// </summary>
[Trait("kind", "long")]
public sealed class SilenceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static TimeSpan Patience => TimeSpan.FromSeconds(Long.IsLong ? 100 : 1);

    [Trait("fault", "F107")]
    [Theory]
    [InlineData("chat")]
    [InlineData("responses")]
    [InlineData("messages")]
    public async Task A_client_waits_for_a_prompt_that_takes_long_to_read(string dialect)
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            if (!Long.IsLong)
                options.Heartbeat = options.StreamPatience = TimeSpan.FromMilliseconds(100);
        });
        using IChatClient client = NewClient(dialect, host);
        int silence = Long.IsLong ? 330_000 : 3_000;
        var watch = Stopwatch.StartNew();
        string answer = "";
        await foreach (
            ChatResponseUpdate update in client.GetStreamingResponseAsync(
                $"READ 15600 {silence}\nSAY here",
                cancellationToken: Stop
            )
        )
            answer += update.Text;
        Assert.Equal("here", answer);
        Assert.InRange(watch.ElapsedMilliseconds, silence - 100, silence * 2);
        Assert.Single(host.Script.Asked);
    }

    private static IChatClient NewClient(string dialect, TestHost host)
    {
        if (dialect == "messages")
            return new AnthropicClient { ApiKey = "any", BaseUrl = host.Address.ToString().TrimEnd('/') }.AsIChatClient(
                "gpt-oss-20b",
                1000
            );
        var client = new OpenAIClient(
            new ApiKeyCredential("any"),
            new OpenAIClientOptions { Endpoint = new Uri(host.Address, "/v1"), NetworkTimeout = Patience }
        );
        return dialect == "chat"
            ? client.GetChatClient("gpt-oss-20b").AsIChatClient()
            : client.GetResponsesClient().AsIChatClient("gpt-oss-20b");
    }
}
