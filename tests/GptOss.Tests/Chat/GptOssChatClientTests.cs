using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>
/// What Microsoft.Extensions.AI and its middleware expect of a chat client: the expectations of dotnet/extensions' own
/// tests for providers, over scripted tokens.
/// </summary>
public sealed class GptOssChatClientTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_update_carries_role_ids_model_and_time()
    {
        List<ChatResponseUpdate> updates = await Updates(new TokenScript(Greeting).Client());

        Assert.True(updates.Count > 5, "Text comes in pieces, not at the end.");
        Assert.All(updates, update =>
        {
            Assert.Equal(ChatRole.Assistant, update.Role);
            Assert.Equal("script", update.ModelId);
            Assert.False(string.IsNullOrEmpty(update.MessageId));
            Assert.True(update.CreatedAt > DateTimeOffset.UnixEpoch);
            Assert.Null(update.ConversationId);
        });
        Assert.Single(updates.Select(update => update.MessageId).Distinct());
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
        Assert.Equal(
            "The user greets.",
            string.Concat(updates.SelectMany(u => u.Contents.OfType<TextReasoningContent>()))
        );
        Assert.Equal("Hello there!", string.Concat(updates.Select(update => update.Text)));
    }

    [Fact]
    public async Task Usage_and_reason_come_once_in_the_last_update()
    {
        var source = new TokenScript(Greeting) { CachedTokens = 7 };
        List<ChatResponseUpdate> updates = await Updates(source.Client());

        UsageDetails usage = Assert
            .Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>())
            .Details;
        Assert.Contains(updates[^1].Contents, content => content is UsageContent);
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        Assert.All(updates.SkipLast(1), update => Assert.Null(update.FinishReason));
        Assert.Equal(source.Requests[0].Prompt.Count, usage.InputTokenCount);
        Assert.Equal(TokenScript.Count(Greeting), usage.OutputTokenCount);
        Assert.Equal(usage.InputTokenCount + usage.OutputTokenCount, usage.TotalTokenCount);
        Assert.Equal(TokenScript.Tokenizer.Encode("The user greets.").Count, usage.ReasoningTokenCount);
        Assert.Equal(7, usage.CachedInputTokenCount);
    }

    [Fact]
    public async Task A_response_is_its_stream_collected()
    {
        ChatResponse response = await new TokenScript(Greeting)
            .Client()
            .GetResponseAsync("Hi", cancellationToken: Stop);

        ChatMessage message = Assert.Single(response.Messages);
        Assert.Equal(ChatRole.Assistant, message.Role);
        Assert.Collection(
            message.Contents,
            content => Assert.Equal("The user greets.", Assert.IsType<TextReasoningContent>(content).Text),
            content => Assert.Equal("Hello there!", Assert.IsType<TextContent>(content).Text)
        );
        Assert.Equal(message.MessageId, response.ResponseId);
        Assert.Equal("script", response.ModelId);
        Assert.Null(response.ConversationId);
        Assert.NotNull(response.Usage);
        Assert.Equal("Hello there!", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public async Task The_function_loop_gives_back_reasoning_call_and_result()
    {
        var source = new TokenScript(Call, Answer);
        string? asked = null;
        ChatResponse response = await source
            .Loop()
            .GetResponseAsync(
                "Weather in Lisbon?",
                With(
                    Weather(city =>
                    {
                        asked = city;
                        return "sunny";
                    })
                ),
                Stop
            );

        Assert.Equal("Lisbon", asked);
        Assert.Contains("type get_weather = (_: {", source.Prompt(0));
        Assert.Equal("It is sunny.", response.Messages[^1].Text);
        // The model's own tokens, the blank after the colon included, then the result.
        Assert.EndsWith(
            "<|start|>assistant"
                + Call
                + "<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>sunny<|end|><|start|>assistant",
            source.Prompt(1)
        );
        Assert.Equal(source.Requests[0].Prompt, source.Requests[1].Prompt.Take(source.Requests[0].Prompt.Count));
        FunctionCallContent call = Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Null(call.Exception);
        Assert.Equal("get_weather", call.Name);
        Assert.Contains(response.Messages[0].Contents, content => content is TextContent { Text: "Let me look." });
    }

    [Fact]
    public async Task Numbers_reach_a_function_as_its_type_and_the_model_as_text()
    {
        var source = new TokenScript(
            """<|channel|>commentary to=functions.double_it <|constrain|>json<|message|>{"number": 21}<|call|>""",
            Answer
        );
        int asked = 0;
        AIFunction function = AIFunctionFactory.Create((int number) => 2 * (asked = number), "double_it");
        await source.Loop().GetResponseAsync("Double 21", With(function), Stop);

        Assert.Equal(21, asked);
        // As the model wrote it, blank and all
        Assert.Contains("<|message|>{\"number\": 21}<|call|>", source.Prompt(1));
        Assert.Contains(
            "<|start|>functions.double_it to=assistant<|channel|>commentary<|message|>42<|end|>",
            source.Prompt(1)
        );
    }

    [Fact]
    public async Task A_function_that_throws_is_told_to_the_model()
    {
        var source = new TokenScript(Call, Answer);
        await source.Loop().GetResponseAsync("Weather?", With(Weather(_ => throw new IOException("no sky"))), Stop);

        Assert.Contains("<|message|>Error", source.Prompt(1));
    }

    [Fact]
    public async Task Null_arguments_are_refused()
    {
        using GptOssChatClient client = new TokenScript(Greeting).Client();

        await Assert.ThrowsAsync<ArgumentNullException>("messages", () =>
            client.GetResponseAsync((IEnumerable<ChatMessage>)null!, cancellationToken: Stop)
        );
        Assert.Throws<ArgumentNullException>("messages", () =>
            client.GetStreamingResponseAsync((IEnumerable<ChatMessage>)null!, cancellationToken: Stop)
        );
        Assert.Throws<ArgumentNullException>("messages", () => client.CountTokens(null!));
        Assert.Throws<ArgumentNullException>("messages", () => client.EncodePrompt(null!));
        Assert.Throws<ArgumentNullException>("serviceType", () => client.GetService(null!));
    }

    [Fact]
    public void Services_are_those_promised_and_none_under_a_key()
    {
        using GptOssChatClient client = new TokenScript(Greeting).Client();

        Assert.Equal("gpt-oss", client.GetService<ChatClientMetadata>()!.ProviderName);
        Assert.Equal("script", client.GetService<ChatClientMetadata>()!.DefaultModelId);
        GptOssTokenizer tokenizer = client.GetService<GptOssTokenizer>()!;
        Assert.Same(tokenizer, client.GetService<GptOssTokenizer>());
        Assert.Equal(TokenScript.Tokenizer.SpecialTokens, tokenizer.SpecialTokens);
        Assert.Same(client, client.GetService<IChatClient>());
        Assert.Same(client, client.GetService<GptOssChatClient>());
        Assert.Null(client.GetService<GptOssModel>()); // a script is none
        Assert.Null(client.GetService<string>());
        Assert.Null(client.GetService(typeof(GptOssTokenizer), "key"));
        Assert.Null(client.GetService(typeof(IChatClient), "key"));
    }

    [Fact]
    public async Task Counting_tokens_is_what_the_request_then_uses()
    {
        var source = new TokenScript(Greeting);
        using GptOssChatClient client = source.Client();
        ChatOptions options = With(Weather(_ => ""));
        ChatMessage[] messages = [new(ChatRole.User, "Weather in Lisbon?")];

        int counted = client.CountTokens(messages, options);
        ChatResponse response = await client.GetResponseAsync(messages, options, Stop);

        Assert.Equal(response.Usage!.InputTokenCount, counted);
        Assert.Equal(source.Requests[0].Prompt, client.EncodePrompt(messages, options));
        // A prompt beyond the context is counted, so that a host can say by how much it is too long.
        messages[0] = new(ChatRole.User, string.Concat(Enumerable.Repeat("rain ", 5000)));
        Assert.InRange(client.CountTokens(messages, options), 5000, 5200);
    }

    [Fact]
    public async Task The_callers_options_and_messages_are_left_as_they_are()
    {
        ChatOptions options = With(Weather(_ => ""));
        options.StopSequences = ["x"];
        List<ChatMessage> messages = [new(ChatRole.User, "Hi")];
        await new TokenScript(Greeting).Client().GetResponseAsync(messages, options, Stop);

        Assert.Single(messages);
        Assert.Single(options.Tools!);
        Assert.Equal(["x"], options.StopSequences);
        Assert.Null(options.ModelId);
    }

    private static Task<List<ChatResponseUpdate>> Updates(GptOssChatClient client) =>
        client.GetStreamingResponseAsync("Hi", cancellationToken: Stop).ToListAsync(Stop).AsTask();
}
