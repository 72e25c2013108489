using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Answer;

/// <summary>
/// An answer for a program: one JSON object a line for every piece, and a last one with the reason of the end and the
/// usage.
/// </summary>
internal sealed class JsonView(Screen screen) : IAnswerView
{
    private static readonly JsonTypeInfo CallArguments = AIJsonUtilities.DefaultOptions.GetTypeInfo(
        typeof(IDictionary<string, object?>)
    );

    public void Show(AIContent content)
    {
        AnswerEvent? shown = content switch
        {
            TextContent { Text.Length: > 0 } text => new AnswerEvent("text") { Text = text.Text },
            TextReasoningContent { Text.Length: > 0 } reasoning => new AnswerEvent("reasoning")
            {
                Text = reasoning.Text,
            },
            FunctionCallContent call => new AnswerEvent("call")
            {
                Name = call.Name,
                CallId = call.CallId,
                Arguments = JsonSerializer.SerializeToElement(call.Arguments, CallArguments),
            },
            _ => null,
        };
        if (shown is not null)
            Write(shown);
    }

    public void End(ChatResponse answer) =>
        Write(
            new AnswerEvent("end")
            {
                FinishReason = answer.FinishReason?.Value,
                Usage = answer.Usage is { } usage
                    ? new AnswerUsage(
                        usage.InputTokenCount,
                        usage.CachedInputTokenCount,
                        usage.OutputTokenCount,
                        usage.ReasoningTokenCount
                    )
                    : null,
            }
        );

    private void Write(AnswerEvent shown) =>
        screen.WriteLine(JsonSerializer.Serialize(shown, Json.Readable.AnswerEvent));
}
