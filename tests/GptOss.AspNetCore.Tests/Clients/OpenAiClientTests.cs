using System.ClientModel;
using System.ClientModel.Primitives;
using System.ComponentModel;
using Microsoft.Extensions.AI;
using OpenAI;

namespace GptOss.AspNetCore.Tests.Clients;

#pragma warning disable OPENAI001 // the client of Responses is marked as one that may change

/// <summary>OpenAI's own client for .NET under Microsoft.Extensions.AI, in both of its dialects.</summary>
public sealed class OpenAiClientTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_reads_a_whole_answer(bool isResponses)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = Client(host, isResponses);
        ChatResponse response = await client.GetResponseAsync("hello you", cancellationToken: Stop);
        Assert.Equal("hello you", response.Text);
        // Responses has a status and no reason, and this client reads a reason out of an incomplete one only.
        Assert.Equal(isResponses ? null : ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(
            (10, 5, 3),
            (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.ReasoningTokenCount)
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_reads_a_stream(bool isResponses)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = Client(host, isResponses);
        var updates = new List<ChatResponseUpdate>();
        await foreach (
            ChatResponseUpdate update in client.GetStreamingResponseAsync("hello you", cancellationToken: Stop)
        )
            updates.Add(update);
        Assert.True(updates.Count(update => update.Text.Length > 0) == 2, "two words are two updates");
        Assert.Equal("hello you", updates.ToChatResponse().Text);
        if (isResponses)
            Assert.Equal(
                "They said something.",
                string.Concat(
                    updates.SelectMany(update => update.Contents.OfType<TextReasoningContent>()).Select(r => r.Text)
                )
            );
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Its_function_loop_comes_to_the_answer(bool isResponses, bool isStreamed)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = Client(host, isResponses).AsBuilder().UseFunctionInvocation().Build();
        string? asked = null;
        AIFunction weather = AIFunctionFactory.Create(
            ([Description("The city.")] string city) =>
            {
                asked = city;
                return "sunny";
            },
            "get_weather"
        );
        const string Question = "THINK Look it up.\nCALL get_weather {\"city\":\"Lisbon\"}";
        var options = new ChatOptions { Tools = [weather] };
        ChatResponse response = isStreamed
            ? await client.GetStreamingResponseAsync(Question, options, Stop).ToChatResponseAsync(Stop)
            : await client.GetResponseAsync(Question, options, Stop);
        Assert.Equal("Lisbon", asked);
        Assert.Contains("The tool said: \"sunny\"", response.Text, StringComparison.Ordinal);
        FunctionCallContent call = host
            .Script.Asked.Last()
            .Messages.SelectMany(message => message.Contents.OfType<FunctionCallContent>())
            .Single();
        Assert.Matches("^call_[0-9a-f]{32}$", call.CallId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_asks_for_a_form_and_an_effort(bool isResponses)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = Client(host, isResponses);
        ChatResponse<City> response = await client.GetResponseAsync<City>(
            "SAY {\"name\":\"Lisbon\",\"size\":3}",
            new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High } },
            cancellationToken: Stop
        );
        Assert.Equal(new City("Lisbon", 3), response.Result);
        ChatOptions asked = host.Script.Asked.Last().Options!;
        Assert.Equal(ReasoningEffort.High, asked.Reasoning!.Effort);
        var form = Assert.IsType<ChatResponseFormatJson>(asked.ResponseFormat);
        Assert.Contains("\"size\"", form.Schema!.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_tells_what_was_wrong(bool isResponses)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = Client(host, isResponses);
        ClientResultException error = await Assert.ThrowsAsync<ClientResultException>(() =>
            client.GetResponseAsync("x", new ChatOptions { ModelId = "gpt-4" }, Stop)
        );
        Assert.Equal(404, error.Status);
        Assert.Contains("There is no model 'gpt-4' here", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<ClientResultException>(() =>
            client.GetResponseAsync("FAIL", cancellationToken: Stop)
        );
        Assert.Equal(500, error.Status);
    }

    [Fact]
    public async Task It_builds_on_a_stored_answer()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using IChatClient client = Client(host, isResponses: true);
        ChatResponse first = await client.GetResponseAsync("SAY a", cancellationToken: Stop);
        Assert.StartsWith("resp_", first.ConversationId, StringComparison.Ordinal);
        await client.GetResponseAsync("b", new ChatOptions { ConversationId = first.ConversationId }, Stop);
        Assert.Equal(["SAY a", "a", "b"], host.Script.Asked.Last().Messages.Select(message => message.Text));
    }

    private static IChatClient Client(TestHost host, bool isResponses)
    {
        var client = new OpenAIClient(
            new ApiKeyCredential("none"),
            new OpenAIClientOptions
            {
                Endpoint = new Uri(host.Address, "/v1"),
                RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            }
        );
        return isResponses
            ? client.GetResponsesClient().AsIChatClient("gpt-oss-20b")
            : client.GetChatClient("gpt-oss-20b").AsIChatClient();
    }

    private sealed record City(string Name, int Size);
}
