using System.ComponentModel;
using Anthropic;
using Anthropic.Exceptions;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Tests.Clients;

/// <summary>Anthropic's own client for .NET, through its adapter for Microsoft.Extensions.AI.</summary>
public sealed class AnthropicClientTests
{
    private static readonly ChatOptions Thinking = new()
    {
        Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High, Output = ReasoningOutput.Full },
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_gets_a_text()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = NewClient(host);
        ChatResponse response = await client.GetResponseAsync("hello you", cancellationToken: Stop);
        Assert.Equal("hello you", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal((10, 5), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
        Assert.Equal(4, response.Usage.CachedInputTokenCount);
    }

    [Fact]
    public async Task It_reads_a_stream_with_its_reasoning()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = NewClient(host);
        List<ChatResponseUpdate> updates = await client
            .GetStreamingResponseAsync("THINK a b\nSAY one two three", Thinking, Stop)
            .ToListAsync(Stop);
        Assert.Equal(3, updates.Count(update => update.Text.Length > 0));
        ChatResponse response = updates.ToChatResponse();
        Assert.Equal("one two three", response.Text);
        Assert.Equal("a b", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>()));
        Assert.Equal(5, response.Usage!.OutputTokenCount);
        Assert.Equal(ReasoningEffort.High, host.Script.Asked.Single().Options!.Reasoning!.Effort);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_carries_out_calls_and_gives_the_reasoning_back(bool isStreamed)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = NewClient(host).AsBuilder().UseFunctionInvocation().Build();
        ChatOptions options = Thinking.Clone();
        options.Tools =
        [
            AIFunctionFactory.Create(
                ([Description("Where")] string city) => $"sunny in {city}",
                "weather",
                "Gets the weather."
            ),
        ];
        const string Question = "THINK so so\nNOTE I look.\nCALL weather {\"city\":\"Lisbon\"}";
        ChatResponse response = isStreamed
            ? await client.GetStreamingResponseAsync(Question, options, Stop).ToChatResponseAsync(Stop)
            : await client.GetResponseAsync(Question, options, Stop);
        Assert.EndsWith("The tool said: \"sunny in Lisbon\"", response.Text, StringComparison.Ordinal);
        IReadOnlyList<ChatMessage> history = host.Script.Asked.Last().Messages;
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool], history.Select(message => message.Role));
        Assert.Equal(
            [typeof(TextReasoningContent), typeof(TextContent), typeof(FunctionCallContent)],
            history[1].Contents.Select(content => content.GetType())
        );
        Assert.Equal("so so", ((TextReasoningContent)history[1].Contents[0]).Text);
        Assert.Equal(
            ((FunctionCallContent)history[1].Contents[^1]).CallId,
            ((FunctionResultContent)history[2].Contents[0]).CallId
        );
        Assert.Matches("^call_[0-9a-f]{32}$", ((FunctionCallContent)history[1].Contents[^1]).CallId);
    }

    [Fact]
    public async Task It_asks_for_an_answer_of_a_form()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = NewClient(host);
        ChatResponse<City> response = await client.GetResponseAsync<City>(
            "SAY {\"name\":\"Lisbon\"}",
            cancellationToken: Stop
        );
        Assert.Equal("Lisbon", response.Result.Name);
        var format = Assert.IsType<ChatResponseFormatJson>(host.Script.Asked.Single().Options!.ResponseFormat);
        Assert.True(format.Schema!.Value.GetProperty("properties").TryGetProperty("name", out _));
    }

    [Theory]
    [InlineData("FAIL", "gpt-oss-20b", 500, "Internal error")]
    [InlineData("hi", "claude", 404, "There is no model")]
    [InlineData("hi", "", 400, "model")]
    public async Task It_tells_what_went_wrong(string question, string model, int status, string says)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = NewClient(host, model);
        var error = await Assert.ThrowsAnyAsync<AnthropicApiException>(() =>
            client.GetResponseAsync(question, cancellationToken: Stop)
        );
        Assert.Equal(status, (int)error.StatusCode);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_hears_of_a_fault_in_a_stream()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = NewClient(host);
        var texts = new List<string>();
        await Assert.ThrowsAnyAsync<AnthropicException>(async () =>
        {
            await foreach (
                ChatResponseUpdate update in client.GetStreamingResponseAsync("SAY one\nFAIL", cancellationToken: Stop)
            )
                texts.Add(update.Text);
        });
        Assert.Equal("one", string.Concat(texts));
    }

    [Fact]
    public async Task It_waits_through_silence()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.Heartbeat = options.StreamPatience = TimeSpan.FromMilliseconds(50)
        );
        using IChatClient client = NewClient(host);
        ChatResponse response = await client
            .GetStreamingResponseAsync("SLEEP 400\nSAY one\nSLEEP 200\nSAY two", cancellationToken: Stop)
            .ToChatResponseAsync(Stop);
        Assert.Equal("onetwo", response.Text);
        Assert.Single(host.Script.Asked);
    }

    private static IChatClient NewClient(TestHost host, string model = "gpt-oss-20b") =>
        new AnthropicClient
        {
            ApiKey = "any",
            BaseUrl = host.Address.ToString().TrimEnd('/'),
            MaxRetries = 0,
        }.AsIChatClient(model, 1000);

    private sealed record City(string Name);
}
