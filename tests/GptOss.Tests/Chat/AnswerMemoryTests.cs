using GptOss.Chat;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>Alone: whatever else runs in the process changes the size of its heap.</summary>
[CollectionDefinition(nameof(AnswerMemoryTests), DisableParallelization = true)]
public sealed class AnswerMemoryTestsAlone;

/// <summary>The model's memory of its answers: asked for where a host wants it, bounded, and no leak.</summary>
[Collection(nameof(AnswerMemoryTests))]
public sealed class AnswerMemoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_caller_dropped_comes_back_only_where_a_host_asks_for_it(bool recalls)
    {
        ChatOptions options = Options(new() { RecallAnswers = recalls });
        options.Tools = [Weather(_ => "")];
        var source = new TokenScript(Call, Greeting);
        var shared = new ChatSource(source, TokenScript.Tokenizer, "script", null, ContextLength: 4096);
        ChatResponse response = await new GptOssChatClient(shared, null, false, null).GetResponseAsync(
            "Weather?",
            options,
            Stop
        );
        // A web page gives back text and calls, and nothing else.
        FunctionCallContent call = response.Messages[0].Contents.OfType<FunctionCallContent>().Single();
        var given = new ChatMessage(
            ChatRole.Assistant,
            [new TextContent(response.Text), new FunctionCallContent(call.CallId, call.Name, call.Arguments)]
        )
        {
            MessageId = response.Messages[0].MessageId,
        };

        // The memory is the model's: another client has it too.
        await new GptOssChatClient(shared, null, false, null).GetResponseAsync(
            [
                new(ChatRole.User, "Weather?"),
                given,
                new(ChatRole.Tool, [new FunctionResultContent(call.CallId, "sunny")]),
            ],
            options,
            Stop
        );

        Assert.Equal(recalls, source.Prompt(1).Contains("I need the weather.", StringComparison.Ordinal));
        Assert.Equal(recalls, source.Prompt(1).Contains("""{"city": "Lisbon"}""", StringComparison.Ordinal));
    }

    [Fact]
    public void The_memory_of_answers_is_bounded_in_bytes_and_forgets_the_oldest()
    {
        var memory = new AnswerMemory(capacityBytes: 10_000);
        SpokenMessage[] spoken = [new SpokenMessage("final", new string('x', 1000))];
        for (int i = 0; i < 20; i++)
            memory.Add($"{i}", [new TextContent(spoken[0].Text)], spoken);

        bool[] known =
        [
            .. Enumerable
                .Range(0, 20)
                .Select(i =>
                    memory.Find(new ChatMessage(ChatRole.Assistant, spoken[0].Text) { MessageId = $"{i}" }) is not null
                ),
        ];
        Assert.InRange(memory.Bytes, 1, 10_000);
        Assert.True(known[19] && !known[0]);
        Assert.Equal([.. known.Order()], known);
        Assert.Null(memory.Find(new ChatMessage(ChatRole.Assistant, "y") { MessageId = "19" }));
        // Alone larger than the bound: it forgets nothing
        memory.Add("long", [new TextContent(new string('y', 10_000))], spoken);
        Assert.NotNull(memory.Find(new ChatMessage(ChatRole.Assistant, spoken[0].Text) { MessageId = "19" }));
    }

    [Fact]
    public void An_answer_is_found_within_its_scope_only()
    {
        SpokenMessage[] spoken = [new("final", "Hello")];
        var memory = new AnswerMemory(capacityBytes: 10_000);
        memory.Add("a", [new TextContent("Hello")], spoken, scope: "one");
        var message = new ChatMessage(ChatRole.Assistant, "Hello") { MessageId = "a" };
        Assert.NotNull(memory.Find(message, "one"));
        Assert.Null(memory.Find(message, "two"));
        Assert.Null(memory.Find(message));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_thousand_requests_leave_no_more_than_a_hundred_kilobytes(bool recalls)
    {
        var source = new TokenScript(Greeting);
        var chat = new ChatSource(source, TokenScript.Tokenizer, "script", null, 4096)
        {
            Memory = new AnswerMemory(100_000),
        };
        using var client = new GptOssChatClient(chat, null, ownsModel: false, null);
        ChatOptions options = Options(new() { RecallAnswers = recalls });
        async Task<long> After(int requests)
        {
            for (int i = 0; i < requests; i++)
                await client.GetResponseAsync("Hi", options, Stop);
            source.Requests.Clear();
            source.Requests.TrimExcess();
            return GC.GetTotalMemory(forceFullCollection: true);
        }

        // The memory is full after some 150 of them. What leaks does so in each thousand; the runtime's own work only
        // in some.
        long before = await After(500),
            grown = long.MaxValue;
        for (int i = 0; i < 4; i++)
        {
            long after = await After(1000);
            grown = Math.Min(grown, after - before);
            before = after;
        }
        Assert.InRange(grown, long.MinValue, 100_000);
    }
}
