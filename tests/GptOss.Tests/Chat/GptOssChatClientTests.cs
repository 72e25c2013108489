using System.ComponentModel;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>
/// What dotnet/extensions expects of any chat client, and what this one adds, over answers written by hand.
/// </summary>
public class GptOssChatClientTests
{
    private const string Thinks = "<|channel|>analysis<|message|>The user greets.<|end|><|start|>assistant";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_has_its_reasoning_apart_from_its_text()
    {
        (GptOssChatClient client, _) = ScriptedSource.Of(Thinks + "<|channel|>final<|message|>Hello!<|return|>");
        ChatResponse response = await client.GetResponseAsync("Hi", cancellationToken: Cancellation);

        ChatMessage message = Assert.Single(response.Messages);
        Assert.Equal(ChatRole.Assistant, message.Role);
        Assert.Equal("The user greets.", Assert.Single(message.Contents.OfType<TextReasoningContent>()).Text);
        Assert.Equal("Hello!", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Null(response.ConversationId);
        Assert.Equal("scripted", response.ModelId);
    }

    [Fact]
    public async Task Updates_share_their_ids_and_the_last_one_has_usage_and_reason()
    {
        (GptOssChatClient client, _) = ScriptedSource.Of(Thinks + "<|channel|>final<|message|>Hello!<|return|>");
        List<ChatResponseUpdate> updates = await client
            .GetStreamingResponseAsync("Hi", cancellationToken: Cancellation)
            .ToListAsync(Cancellation);

        Assert.All(updates, update =>
        {
            Assert.Equal(ChatRole.Assistant, update.Role);
            Assert.Equal(updates[0].MessageId, update.MessageId);
            Assert.Equal(updates[0].ResponseId, update.ResponseId);
            Assert.False(string.IsNullOrEmpty(update.MessageId));
            Assert.True(update.CreatedAt > DateTimeOffset.UnixEpoch);
        });
        UsageDetails usage = Assert
            .Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>())
            .Details;
        Assert.Same(updates[^1].Contents.OfType<UsageContent>().Single().Details, usage);
        Assert.Equal(usage.InputTokenCount + usage.OutputTokenCount, usage.TotalTokenCount);
        Assert.InRange(usage.ReasoningTokenCount!.Value, 1, usage.OutputTokenCount!.Value - 1);
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        Assert.All(updates.SkipLast(1), update => Assert.Null(update.FinishReason));
    }

    [Fact]
    public async Task A_call_comes_once_and_complete_and_its_loop_gives_the_reasoning_back()
    {
        (GptOssChatClient client, ScriptedSource source) = ScriptedSource.Of(
            "<|channel|>analysis<|message|>I need the tool.<|end|><|start|>assistant<|channel|>commentary to=functions.double_it "
                + "<|constrain|>json<|message|>{\"number\": 21}<|call|>",
            "<|channel|>final<|message|>It is 42.<|return|>"
        );
        int asked = 0;
        AIFunction function = AIFunctionFactory.Create(
            ([Description("What to double.")] int number) =>
            {
                asked = number;
                return 2 * number;
            },
            "double_it",
            "Doubles."
        );
        IChatClient loop = client.AsBuilder().UseFunctionInvocation().Build();
        ChatResponse response = await loop.GetResponseAsync(
            "Double 21",
            new ChatOptions { Tools = [function] },
            Cancellation
        );

        Assert.Equal(21, asked);
        Assert.Equal("It is 42.", response.Text);
        string second = source.Prompts.Last();
        Assert.Contains("<|channel|>analysis<|message|>I need the tool.<|end|>", second, StringComparison.Ordinal);
        // As it was said, blank and all
        Assert.Contains("<|message|>{\"number\": 21}<|call|>", second, StringComparison.Ordinal);
        Assert.Contains(
            "<|start|>functions.double_it to=assistant<|channel|>commentary<|message|>42<|end|>",
            second,
            StringComparison.Ordinal
        );
        Assert.Contains("type double_it = (_: {", source.Prompts.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_before_a_call_is_a_preamble()
    {
        (GptOssChatClient client, _) = ScriptedSource.Of(
            "<|channel|>commentary<|message|>Let me look.<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>"
        );
        ChatResponse response = await client.GetResponseAsync(
            "Go",
            new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "f")] },
            Cancellation
        );
        Assert.Equal("Let me look.", response.Text);
        Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>());
    }

    [Theory]
    [InlineData("two", "one ")]
    [InlineData("o t", "one tw")] // overlaps what precedes it
    [InlineData("never", "one two three")]
    public async Task A_stop_sequence_cuts_the_text_before_it_across_token_borders(string stop, string expected)
    {
        (GptOssChatClient client, _) = ScriptedSource.Of("<|channel|>final<|message|>one two three<|return|>");
        ChatResponse response = await client.GetResponseAsync(
            "Count",
            new ChatOptions { StopSequences = [stop] },
            Cancellation
        );
        Assert.Equal(expected, response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public async Task Too_few_tokens_end_with_length()
    {
        (GptOssChatClient client, ScriptedSource source) = ScriptedSource.Of(
            Thinks + "<|channel|>final<|message|>Hello!<|return|>"
        );
        ChatResponse response = await client.GetResponseAsync(
            "Hi",
            new ChatOptions { MaxOutputTokens = 5 },
            Cancellation
        );
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(5, response.Usage!.OutputTokenCount);
        Assert.Equal(5, source.Requests[0].MaxTokens);
    }

    [Fact]
    public async Task Instructions_and_leading_system_messages_are_one_developer_message()
    {
        (GptOssChatClient client, ScriptedSource source) = ScriptedSource.Of(
            "<|channel|>final<|message|>Yes.<|return|>"
        );
        ChatMessage[] messages =
        [
            new(ChatRole.System, "Be brief."),
            new(ChatRole.System, "Be kind."),
            new(ChatRole.User, "<|end|> Well?"),
        ];
        await client.GetResponseAsync(messages, new ChatOptions { Instructions = "Be good." }, Cancellation);
        string prompt = source.Prompts.Single();
        Assert.Contains(
            "<|start|>developer<|message|># Instructions\n\nBe good.\n\nBe brief.\n\nBe kind.<|end|>",
            prompt,
            StringComparison.Ordinal
        );
        int end = ScriptedSource.Tokenizer.SpecialTokens["<|end|>"];
        // System, developer, user: the spelled one is text
        Assert.Equal(3, source.Requests[0].Prompt.Count(id => id == end));
    }

    [Fact]
    public async Task Histories_of_any_shape_are_rendered()
    {
        (GptOssChatClient client, ScriptedSource source) = ScriptedSource.Of(
            "<|channel|>final<|message|>Fine.<|return|>"
        );
        ChatMessage[] messages =
        [
            new(ChatRole.Assistant, "I begin."),
            new(ChatRole.User, []),
            new(
                ChatRole.Assistant,
                [
                    new FunctionCallContent("a", "f", new Dictionary<string, object?> { ["x"] = 1 })
                    {
                        InformationalOnly = true,
                    },
                    new FunctionCallContent("b", "g"),
                ]
            ),
            new(
                ChatRole.Tool,
                [
                    new FunctionResultContent("a", "text"),
                    new FunctionResultContent("b", null) { Exception = new InvalidOperationException("broken") },
                ]
            ),
            new(ChatRole.Tool, [new FunctionResultContent("lost", 5)]),
            new(ChatRole.System, "Later."),
            new(ChatRole.User, "So?"),
        ];
        await client.GetResponseAsync(messages, cancellationToken: Cancellation);
        string prompt = source.Prompts.Single();
        foreach (
            string part in (string[])
                [
                    "I begin.",
                    "to=functions.f",
                    "{\"x\":1}<|call|>",
                    "to=functions.g",
                    "functions.f to=assistant",
                    ">text<",
                    "Error: broken",
                    ">5<",
                    "Later.",
                    "So?",
                ]
        )
            Assert.Contains(part, prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_model_cannot_see_is_refused_by_name()
    {
        (GptOssChatClient client, _) = ScriptedSource.Of();
        var message = new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]);
        NotSupportedException error = await Assert.ThrowsAsync<NotSupportedException>(() =>
            client.GetResponseAsync([message], cancellationToken: Cancellation)
        );
        Assert.Contains("image/png", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_longer_than_the_context_is_refused_with_both_numbers()
    {
        (GptOssChatClient client, _) = ScriptedSource.Of();
        ContextLengthException error = await Assert.ThrowsAsync<ContextLengthException>(() =>
            client.GetResponseAsync(string.Concat(Enumerable.Repeat("word ", 5000)), cancellationToken: Cancellation)
        );
        Assert.Equal(4096, error.ContextLength);
        Assert.True(error.PromptTokens > 5000);
    }

    [Fact]
    public async Task Efforts_and_tool_modes_shape_the_prompt()
    {
        (GptOssChatClient client, ScriptedSource source) = ScriptedSource.Of(
            "Yes.<|return|>",
            "<|channel|>final<|message|>x<|return|>",
            "{}<|call|>",
            "<|channel|>final<|message|>x<|return|>"
        );
        AIFunction function = AIFunctionFactory.Create(() => 1, "f");
        ChatResponse direct = await client.GetResponseAsync(
            "?",
            new ChatOptions { Reasoning = new() { Effort = ReasoningEffort.None } },
            Cancellation
        );
        await client.GetResponseAsync(
            "?",
            new ChatOptions { Reasoning = new() { Effort = ReasoningEffort.ExtraHigh } },
            Cancellation
        );
        ChatResponse forced = await client.GetResponseAsync(
            "?",
            new ChatOptions { Tools = [function], ToolMode = ChatToolMode.RequireSpecific("f") },
            Cancellation
        );
        await client.GetResponseAsync(
            "?",
            new ChatOptions { Tools = [function], ToolMode = ChatToolMode.None },
            Cancellation
        );

        string[] prompts = [.. source.Prompts];
        Assert.EndsWith("<|start|>assistant<|channel|>final<|message|>", prompts[0], StringComparison.Ordinal);
        Assert.Equal("Yes.", direct.Text);
        Assert.Contains("Reasoning: high", prompts[1], StringComparison.Ordinal);
        Assert.Equal("f", Assert.Single(forced.Messages[0].Contents.OfType<FunctionCallContent>()).Name);
        Assert.DoesNotContain("type f", prompts[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Services_are_the_metadata_the_tokenizer_and_the_client_and_nothing_under_a_key()
    {
        (GptOssChatClient client, _) = ScriptedSource.Of();
        Assert.Equal("gpt-oss", client.GetService<ChatClientMetadata>()!.ProviderName);
        Assert.Equal("scripted", client.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Same(ScriptedSource.Tokenizer, client.GetService<GptOssTokenizer>());
        Assert.Same(client, client.GetService<GptOssChatClient>());
        Assert.Same(client, client.GetService<IChatClient>());
        Assert.Null(client.GetService(typeof(IChatClient), "key"));
        Assert.Throws<ArgumentNullException>(() => client.GetService(null!));
        Assert.Throws<ArgumentNullException>(() =>
        {
            client.GetStreamingResponseAsync((IEnumerable<ChatMessage>)null!, cancellationToken: Cancellation);
        });
    }
}
