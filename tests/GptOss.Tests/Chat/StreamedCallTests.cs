using System.Text.Json;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>The pieces of a call that a stream gives before the whole call.</summary>
public sealed class StreamedCallTests
{
    private const string Begin = "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>";
    private static readonly GptOssRequestOptions Streaming = new() { StreamCalls = true, RepairCalls = 0 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_comes_in_pieces_and_then_whole()
    {
        List<AIContent> contents = Contents(await Updates(new TokenScript(Call), Offered(Streaming)));

        CallDelta[] pieces = Pieces(contents);
        FunctionCallContent call = Assert.Single(contents.OfType<FunctionCallContent>());
        Assert.Equal(new CallDelta(call.CallId, "get.weather", ""), pieces[0]);
        Assert.All(pieces, piece => Assert.Equal((call.CallId, "get.weather"), (piece.CallId, piece.Name)));
        Assert.All(pieces[1..], piece => Assert.NotEmpty(piece.Delta));
        Assert.True(pieces.Length > 3); // a token each
        Assert.Equal("""{"city": "Lisbon"}""", string.Concat(pieces.Select(piece => piece.Delta)));
        Assert.Equal(call.RawRepresentation, string.Concat(pieces.Select(piece => piece.Delta)));
        int last = contents.FindLastIndex(content => content.RawRepresentation is CallDelta);
        Assert.True(last < contents.IndexOf(call));
    }

    [Fact]
    public async Task Without_being_asked_for_and_in_a_response_there_are_none()
    {
        Assert.Empty(Pieces(Contents(await Updates(new TokenScript(Call), Offered(new())))));
        ChatResponse response = await new TokenScript(Call)
            .Client()
            .GetResponseAsync("Weather?", Offered(Streaming), Stop);
        Assert.Equal(
            [typeof(TextReasoningContent), typeof(TextContent), typeof(FunctionCallContent)],
            response.Messages[0].Contents.Select(content => content.GetType())
        );
    }

    /// <summary>Somebody keeps what was streamed, live or as JSON, and goes on with it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_history_the_pieces_are_passed_over(bool isStored)
    {
        string[] prompts = new string[2];
        foreach (bool streams in (bool[])[false, true])
        {
            var source = new TokenScript(Call, Answer);
            ChatOptions options = Offered(Streaming with { StreamCalls = streams });
            ChatMessage said = (await Updates(source, options)).ToChatResponse().Messages[0];
            Assert.Equal(streams, said.Contents.Any(content => content.GetType() == typeof(AIContent)));
            if (isStored)
                said = JsonSerializer.Deserialize<ChatMessage>(
                    JsonSerializer.Serialize(said, AIJsonUtilities.DefaultOptions),
                    AIJsonUtilities.DefaultOptions
                )!;
            string id = said.Contents.OfType<FunctionCallContent>().Single().CallId;
            var result = new ChatMessage(ChatRole.Tool, [new FunctionResultContent(id, "sunny")]);
            await source
                .Client()
                .GetResponseAsync([new ChatMessage(ChatRole.User, "Weather?"), said, result], options, Stop);
            prompts[streams ? 1 : 0] = source.Prompt(1);
        }
        Assert.StartsWith(prompts[0], prompts[1]);
        Assert.Contains("""{"city": "Lisbon"}<|call|>""", prompts[1]);
    }

    [Fact]
    public async Task A_function_loop_carries_out_the_call_once()
    {
        int calls = 0;
        AIFunction function = AIFunctionFactory.Create((string city) => $"sunny in {city}, {++calls}", "get.weather");
        ChatOptions options = Options(Streaming);
        options.Tools = [function];
        var source = new TokenScript(Call, Answer);
        List<AIContent> contents = [];
        await foreach (ChatResponseUpdate update in source.Loop().GetStreamingResponseAsync("Weather?", options, Stop))
            contents.AddRange(update.Contents);

        Assert.Equal(1, calls);
        Assert.Equal("It is sunny.", string.Concat(contents.OfType<TextContent>().TakeLast(4)));
        Assert.Contains("""<|message|>{"city": "Lisbon"}<|call|>""", source.Prompt(1));
    }

    /// <summary>The limit leaves the pieces that were given, and the call says that it is not whole.</summary>
    [Fact]
    public async Task A_cut_call_keeps_its_pieces_and_ends_by_length()
    {
        int whole = TokenScript.Count(Begin + """{"city": "Lisbon"}<|call|>"""),
            header = TokenScript.Count(Begin);
        for (int limit = header; limit < whole; limit++)
        {
            ChatOptions options = Offered(Streaming);
            options.MaxOutputTokens = limit;
            var source = new TokenScript(Begin + """{"city": "Lisbon"}<|call|>""");
            List<ChatResponseUpdate> updates = await Updates(source, options);

            string written = string.Concat(Pieces(Contents(updates)).Select(piece => piece.Delta));
            Assert.StartsWith(written, """{"city": "Lisbon"}""");
            Assert.Equal(limit > header, written.Length > 0);
            FunctionCallContent call = Assert.Single(Contents(updates).OfType<FunctionCallContent>());
            Assert.True(call is { InformationalOnly: true, Exception: not null, Arguments: null });
            Assert.Equal(written, call.RawRepresentation);
            Assert.Equal(ChatFinishReason.Length, updates[^1].FinishReason);
            Assert.Single(source.Requests);
        }
    }

    [Fact]
    public async Task A_second_try_has_another_id()
    {
        var source = new TokenScript(Begin + "oops<|call|>", Begin + """{"city":"Rome"}<|call|>""");
        ChatOptions options = Offered(Streaming with { FreeCalls = true, RepairCalls = 1 });
        List<AIContent> contents = Contents(await Updates(source, options));

        (string Id, string Arguments)[] calls =
        [
            .. Pieces(contents)
                .GroupBy(piece => piece.CallId)
                .Select(call => (call.Key, string.Concat(call.Select(piece => piece.Delta)))),
        ];
        Assert.Equal(["oops", """{"city":"Rome"}"""], calls.Select(call => call.Arguments));
        Assert.Equal(calls[1].Id, Assert.Single(contents.OfType<FunctionCallContent>()).CallId);
    }

    private static ChatOptions Offered(GptOssRequestOptions own)
    {
        ChatOptions options = Options(own);
        options.Tools = [AIFunctionFactory.Create((string city) => city, "get.weather", "Tells the weather.")];
        return options;
    }

    private static async Task<List<ChatResponseUpdate>> Updates(TokenScript source, ChatOptions options) =>
        await source.Client().GetStreamingResponseAsync("Weather?", options, Stop).ToListAsync(Stop);

    private static List<AIContent> Contents(IEnumerable<ChatResponseUpdate> updates) =>
        [.. updates.SelectMany(update => update.Contents)];

    private static CallDelta[] Pieces(IEnumerable<AIContent> contents) =>
        [.. contents.Select(content => content.RawRepresentation).OfType<CallDelta>()];
}
