using GptOss.Cli.Answer;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Cli;

public sealed class MissingAnswerTests
{
    [Fact]
    public void Why_no_answer_came_is_a_sentence()
    {
        Assert.Null(MissingAnswer.Explain(Response(ChatFinishReason.Length, new TextContent("Half an")), 7));
        Assert.Contains(
            "within 1,000 tokens",
            MissingAnswer.Explain(Response(ChatFinishReason.Length, new TextReasoningContent("hm")), 1000)
        );
        Assert.Contains("context was full", MissingAnswer.Explain(Response(ChatFinishReason.Length), null));
        Assert.Contains(
            "'fly'",
            MissingAnswer.Explain(
                Response(ChatFinishReason.Stop, new FunctionCallContent("1", "fly") { InformationalOnly = true }),
                null
            )
        );
        Assert.Contains("without a word", MissingAnswer.Explain(Response(ChatFinishReason.Stop), null));
    }

    private static ChatResponse Response(ChatFinishReason reason, params AIContent[] contents) =>
        new(new ChatMessage(ChatRole.Assistant, contents)) { FinishReason = reason };
}
