using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>What the tokens of an answer become: calls, hidden reasoning, ends before the end.</summary>
public sealed class AnswerTranslatorTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_comes_whole_and_once_and_ends_the_answer()
    {
        List<ChatResponseUpdate> updates = await new TokenScript(Call)
            .Client()
            .GetStreamingResponseAsync("Weather?", With(Weather(_ => "")), Stop)
            .ToListAsync(Stop);

        FunctionCallContent call = Assert.Single(updates.SelectMany(u => u.Contents).OfType<FunctionCallContent>());
        Assert.Equal("Lisbon", call.Arguments!["city"]!.ToString());
        Assert.Equal("Let me look.", string.Concat(updates.Select(update => update.Text)));
        Assert.Equal(ChatFinishReason.ToolCalls, updates[^1].FinishReason);
    }

    [Theory]
    [InlineData("""[{"city": "Lisbon"}]""")]
    [InlineData(""" "{\"city\": \"Lisbon\"}" """)]
    public async Task Arguments_within_an_array_or_a_string_are_taken_out(string arguments)
    {
        var source = new TokenScript($"<|channel|>commentary to=functions.get_weather<|message|>{arguments}<|call|>")
        {
            IsFree = true,
        };
        ChatResponse response = await source.Client().GetResponseAsync("Weather?", With(Weather(_ => "")), Stop);

        var call = Assert.IsType<FunctionCallContent>(response.Messages[0].Contents[0]);
        Assert.Equal("Lisbon", call.Arguments!["city"]!.ToString());
    }

    [Fact]
    public async Task What_a_model_invents_after_a_call_is_not_read()
    {
        var source = new TokenScript(
            Call.Replace("<|call|>", "<|end|>") + "<|start|>assistant<|channel|>final<|message|>Made up.<|return|>"
        )
        {
            IsFree = true,
        };
        ChatResponse response = await source.Client().GetResponseAsync("Weather?", With(Weather(_ => "")), Stop);

        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        Assert.DoesNotContain("Made up", response.Text);
    }

    [Fact]
    public async Task Reasoning_can_be_kept_from_the_caller_and_still_reaches_the_model()
    {
        var source = new TokenScript(Call, Answer);
        ChatOptions options = With(Weather(_ => "sunny"));
        options.Reasoning = new ReasoningOptions { Output = ReasoningOutput.None };
        ChatResponse response = await source.Loop().GetResponseAsync("Weather?", options, Stop);

        Assert.DoesNotContain(response.Messages.SelectMany(m => m.Contents), content =>
            content is TextReasoningContent
        );
        Assert.Contains("I need the weather.", source.Prompt(1));
    }

    [Fact]
    public async Task An_answer_cut_at_its_limit_says_so()
    {
        var source = new TokenScript(Greeting);
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", new ChatOptions { MaxOutputTokens = 4 }, Stop);

        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(4, response.Usage!.OutputTokenCount);
        Assert.Equal(4, source.Requests[0].MaxTokens);
    }

    [Theory]
    [InlineData("one ", "two")] // "two" stands in the reasoning too, where nothing is looked for
    [InlineData("one tw", "o t")] // overlaps what precedes it
    [InlineData("one two three", "never")]
    [InlineData("on", "e t", "count")]
    public async Task A_stop_sequence_ends_the_answer_wherever_tokens_end(string text, params string[] stops)
    {
        ChatResponse response = await new TokenScript(
            "<|channel|>analysis<|message|>I count two more.<|end|><|start|>assistant"
                + "<|channel|>final<|message|>one two three<|return|>"
        )
            .Client()
            .GetResponseAsync("Count", new ChatOptions { StopSequences = stops }, Stop);

        Assert.Equal(text, response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public async Task Structured_output_is_shown_to_the_model_and_read()
    {
        var source = new TokenScript(
            """<|channel|>final <|constrain|>json<|message|>{"name":"Ada","age":36}<|return|>"""
        );
        ChatResponse<Person> response = await source.Client().GetResponseAsync<Person>("Who?", cancellationToken: Stop);

        Assert.Equal(new Person("Ada", 36), response.Result);
        Assert.Contains("# Response Formats\n\n## Person\n\n", source.Prompt());
        Assert.Contains("\"age\"", source.Prompt());
    }
}
