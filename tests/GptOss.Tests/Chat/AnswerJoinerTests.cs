using System.Text.Json;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>An answer that arrives in several messages is the answer that the model gave.</summary>
public sealed class AnswerJoinerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)] // stored while a person decides
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_call_that_a_person_approves_is_the_prompt_of_one_that_needs_nobody(
        bool isStreamed,
        bool isStored
    )
    {
        var free = new TokenScript(Call, Answer, Greeting);
        ChatOptions options = Options();
        options.Tools = [Weather(city => "sunny in " + city)];
        List<ChatMessage> unasked = [new(ChatRole.User, "Weather?")];
        unasked.AddRange((await free.Loop().GetResponseAsync(unasked, options, Stop)).Messages);
        unasked.Add(new(ChatRole.User, "And now?"));
        await free.Loop().GetResponseAsync(unasked, options, Stop);

        var asked = new TokenScript(Call, Answer, Greeting);
        options.Tools = [new ApprovalRequiredAIFunction(Weather(city => "sunny in " + city))];
        List<ChatMessage> history = [new(ChatRole.User, "Weather?")];
        await Respond();
        history.Add(
            new(
                ChatRole.User,
                [
                    .. history[^1]
                        .Contents.OfType<ToolApprovalRequestContent>()
                        .Select(request => request.CreateResponse(true)),
                ]
            )
        );
        await Respond();
        history.Add(new(ChatRole.User, "And now?"));
        await Respond();
        // Also where no function loop takes the approvals out.
        await asked.Client().GetResponseAsync(history.SkipLast(1), options, Stop);

        Assert.Contains("analysis<|message|>I need the weather.<|end|>", free.Prompt(1));
        Assert.Equal(free.Prompt(1), asked.Prompt(1));
        Assert.Equal(free.Prompt(2), asked.Prompt(2));
        Assert.Equal(free.Prompt(2), asked.Prompt(3));

        async Task Respond()
        {
            if (isStored)
                history = JsonSerializer.Deserialize<List<ChatMessage>>(
                    JsonSerializer.Serialize(history, AIJsonUtilities.DefaultOptions),
                    AIJsonUtilities.DefaultOptions
                )!;
            ChatResponse response = isStreamed
                ? await asked.Loop().GetStreamingResponseAsync(history, options, Stop).ToChatResponseAsync(Stop)
                : await asked.Loop().GetResponseAsync(history, options, Stop);
            history.AddRange(response.Messages);
        }
    }

    [Theory]
    [InlineData("1", "1", true)]
    [InlineData(null, null, true)] // a store that keeps no ids: what stands before a call belongs to it
    [InlineData("1", "2", false)] // two answers, as of two agents
    [InlineData("1", null, false)]
    public async Task Messages_of_one_id_are_one_answer(string? first, string? second, bool areOne)
    {
        string prompt = await Prompt(
            new(ChatRole.Assistant, [new TextReasoningContent("Why."), new TextContent("Let me look.")])
            {
                MessageId = first,
            },
            new(ChatRole.Assistant, [new FunctionCallContent("1", "f")]) { MessageId = second },
            new(ChatRole.Tool, [new FunctionResultContent("1", "done")])
        );

        Assert.Equal(areOne, prompt.Contains("<|channel|>analysis<|message|>Why.<|end|>", StringComparison.Ordinal));
        Assert.Contains($"<|channel|>{(areOne ? "commentary" : "final")}<|message|>Let me look.<|end|>", prompt);
    }

    [Fact]
    public async Task Answers_without_ids_stay_apart()
    {
        string prompt = await Prompt(
            new(ChatRole.Assistant, "One."),
            new(ChatRole.Assistant, "Two."),
            new(ChatRole.User, "Well?")
        );

        Assert.Contains("final<|message|>One.<|end|><|start|>assistant<|channel|>final<|message|>Two.<|end|>", prompt);
    }

    private static async Task<string> Prompt(params ChatMessage[] history)
    {
        var script = new TokenScript(Greeting);
        await script.Client().GetResponseAsync([new(ChatRole.User, "Go"), .. history], Options(), Stop);
        return script.Prompt();
    }
}
