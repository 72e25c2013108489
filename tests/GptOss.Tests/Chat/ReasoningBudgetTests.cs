using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>The limit to the tokens of reasoning.</summary>
public sealed class ReasoningBudgetTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "The")]
    [InlineData(2, "The user")]
    public async Task A_reasoning_budget_closes_the_reasoning_and_opens_the_answer(int budget, string kept)
    {
        // After the dictated header the script goes on where it was: with the rest of the reasoning, now an answer.
        var source = new TokenScript("<|channel|>analysis<|message|>The user greets.<|return|>");
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", Options(new() { ReasoningBudget = budget }), Stop);

        Assert.Equal(
            kept,
            string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(r => r.Text))
        );
        Assert.Equal("The user greets."[kept.Length..], response.Text);
        Assert.Equal(budget, response.Usage!.ReasoningTokenCount);
    }

    [Fact]
    public async Task A_reasoning_within_its_budget_is_left_alone()
    {
        ChatResponse response = await new TokenScript(Greeting)
            .Client()
            .GetResponseAsync("Hi", Options(new() { ReasoningBudget = 5 }), Stop);

        Assert.Equal("Hello there!", response.Text);
    }
}
