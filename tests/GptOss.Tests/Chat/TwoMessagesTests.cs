using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>Two messages of the model are two texts, with a blank line between that is none of its words.</summary>
public sealed class TwoMessagesTests
{
    private const string Turn = "<|end|><|start|>assistant";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "<|channel|>commentary<|message|>I look." + Turn + "<|channel|>final<|message|>Found.",
        "",
        "I look.\n\nFound."
    )]
    [InlineData(
        "<|channel|>analysis<|message|>One."
            + Turn
            + "<|channel|>analysis<|message|>Two."
            + Turn
            + "<|channel|>final<|message|>A",
        "One.\n\nTwo.",
        "A"
    )]
    [InlineData(
        "<|channel|>commentary<|message|>A"
            + Turn
            + "<|channel|>commentary<|message|>B"
            + Turn
            + "<|channel|>final<|message|>C",
        "",
        "A\n\nB\n\nC"
    )]
    [InlineData(
        "<|channel|>commentary<|message|>A"
            + Turn
            + "<|channel|>analysis<|message|>x"
            + Turn
            + "<|channel|>final<|message|>B",
        "x",
        "A/B"
    )] // parted already
    [InlineData(
        "<|channel|>analysis<|message|>"
            + Turn
            + "<|channel|>analysis<|message|>x"
            + Turn
            + "<|channel|>final<|message|>B",
        "x",
        "B"
    )] // an empty one parts nothing
    [InlineData("<|channel|>final<|message|>A\n\n" + Turn + "<|channel|>final<|message|>\n\nB", "", "A\n\n\n\n\n\nB")]
    public async Task A_blank_line_stands_between_messages_of_one_kind(string answer, string reasoning, string text)
    {
        foreach (bool isStreamed in new[] { true, false })
        {
            IChatClient client = new TokenScript(answer + "<|return|>") { IsFree = true }.Client();
            ChatResponse response = isStreamed
                ? await client.GetStreamingResponseAsync("Hi", Options(), Stop).ToChatResponseAsync(Stop)
                : await client.GetResponseAsync("Hi", Options(), Stop);

            Assert.Equal(
                reasoning,
                string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(r => r.Text))
            );
            Assert.Equal(
                text,
                string.Join('/', response.Messages[0].Contents.OfType<TextContent>().Select(t => t.Text))
            );
        }
    }

    [Fact]
    public async Task A_message_that_is_hidden_between_two_does_not_join_them()
    {
        ChatOptions options = Options();
        options.Reasoning = new ReasoningOptions { Output = ReasoningOutput.None };
        ChatResponse response = await new TokenScript(
            "<|channel|>commentary<|message|>A"
                + Turn
                + "<|channel|>analysis<|message|>x"
                + Turn
                + "<|channel|>final<|message|>B<|return|>"
        )
        {
            IsFree = true,
        }
            .Client()
            .GetResponseAsync("Hi", options, Stop);

        Assert.Equal("A\n\nB", response.Text);
    }

    [Theory]
    [InlineData(ReasoningOutput.Full)]
    [InlineData(ReasoningOutput.None)]
    public async Task Where_the_answer_has_a_form_words_before_it_are_reasoning(ReasoningOutput output)
    {
        ChatOptions options = Options();
        options.Reasoning = new ReasoningOptions { Output = output };
        var source = new TokenScript(
            "<|channel|>analysis<|message|>Who?"
                + Turn
                + "<|channel|>commentary<|message|>I know her."
                + Turn
                + "<|channel|>final<|message|>{\"name\":\"Ada\",\"age\":36}<|return|>"
        )
        {
            IsFree = true,
        };
        ChatResponse<Person> response = await source
            .Client()
            .GetResponseAsync<Person>("Who?", options, cancellationToken: Stop);

        Assert.Equal(new Person("Ada", 36), response.Result);
        Assert.Equal(
            output == ReasoningOutput.None ? "" : "Who?\n\nI know her.",
            string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(r => r.Text))
        );
        // The model finds its words where it said them.
        await source
            .Client()
            .GetResponseAsync(
                [new(ChatRole.User, "Who?"), .. response.Messages, new(ChatRole.User, "?")],
                Options(),
                Stop
            );
        Assert.Contains("<|start|>assistant<|channel|>commentary<|message|>I know her.<|end|>", source.Prompt(1));
    }

    [Fact]
    public async Task A_stop_sequence_in_the_second_message_leaves_the_first_whole()
    {
        ChatOptions options = Options();
        options.StopSequences = ["STOP"];
        var source = new TokenScript(
            "<|channel|>commentary<|message|>First." + Turn + "<|channel|>final<|message|>Second STOP third.<|return|>"
        )
        {
            IsFree = true,
        };
        ChatResponse response = await source.Client().GetResponseAsync("Hi", options, Stop);
        Assert.Equal("First.\n\nSecond ", response.Text);

        await source
            .Client()
            .GetResponseAsync(
                [new(ChatRole.User, "Hi"), .. response.Messages, new(ChatRole.User, "?")],
                Options(),
                Stop
            );
        Assert.Contains(
            "commentary<|message|>First.<|end|><|start|>assistant<|channel|>final<|message|>Second <|end|>",
            source.Prompt(1)
        );
    }
}
