using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Answers;

/// <summary>Writes an answer as chunks of Chat Completions.</summary>
/// <param name="ask">The request that is answered.</param>
/// <param name="head">What the answer says of itself.</param>
/// <param name="frames">Takes the chunks that are written.</param>
internal sealed class ChatWriter(ChatAsk ask, ReplyHead head, IFrames frames) : ReplyWriter
{
    private int _call = -1;
    private bool _isFreeform;

    public override void Begin() => Send(new ChatDelta { Role = "assistant", Content = "" });

    public override void Add(ReplyEvent happened)
    {
        switch (happened)
        {
            case ReplyEvent.Reasoning reasoning:
                Send(new ChatDelta { Reasoning = reasoning.Delta });
                break;
            case ReplyEvent.Text text:
                Send(new ChatDelta { Content = text.Delta }, Probabilities(text));
                break;
            case ReplyEvent.CallStarted call:
                (_call, _isFreeform) = (_call + 1, call.IsFreeform);
                SendCall(Input("", call.Name) with { Id = call.Id, Type = call.IsFreeform ? "custom" : "function" });
                break;
            case ReplyEvent.CallInput input:
                SendCall(Input(input.Delta, name: null));
                break;
            case ReplyEvent.Finished end:
                Send(new ChatDelta(), finish: Word(end.Reason));
                SendUsage(end);
                frames.SendText("[DONE]");
                break;
        }
    }

    public override void Progress(Beat beat)
    {
        if (ChatProgress.Of(beat) is { } progress)
            Send(new ChatDelta(), progress: progress);
    }

    // Clients of this dialect count any byte; a comment is no event, so that none of them stumbles over it.
    public override void Beat(Beat beat) => frames.Comment("ping");

    public override void Fail(Fault fault) => frames.Send(null, OpenAiError.Of(fault), WireJson.Readable.OpenAiError);

    private static string Word(ReplyEnd end) =>
        end switch
        {
            ReplyEnd.Length => "length",
            ReplyEnd.Calls => "tool_calls",
            _ => "stop",
        };

    private ChatCall Input(string delta, string? name) =>
        _isFreeform
            ? new ChatCall
            {
                Index = _call,
                Custom = new ChatFreeformCall { Name = name, Input = delta },
            }
            : new ChatCall
            {
                Index = _call,
                Function = new ChatFunctionCall { Name = name, Arguments = delta },
            };

    private ChatProbabilities? Probabilities(ReplyEvent.Text text) =>
        text.Tokens.Count > 0 && head.Tokenizer is { } tokenizer
            ? new ChatProbabilities([.. text.Tokens.Select(token => WireProbability.Of(token, tokenizer))])
            : null;

    private void SendCall(ChatCall call) => Send(new ChatDelta { ToolCalls = [call] });

    private void SendUsage(ReplyEvent.Finished end)
    {
        if (ask.CountsTokens)
            Send(Chunk([]) with { Usage = Count(end.Usage), Timings = ReplyTimings.Of(end.Usage, end.Pace) });
    }

    private static ChatUsage Count(UsageDetails usage) =>
        new()
        {
            PromptTokens = usage.InputTokenCount ?? 0,
            CompletionTokens = usage.OutputTokenCount ?? 0,
            TotalTokens = usage.TotalTokenCount ?? ((usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0)),
            PromptTokensDetails = new(usage.CachedInputTokenCount ?? 0),
            CompletionTokensDetails = new(usage.ReasoningTokenCount ?? 0),
        };

    private void Send(
        ChatDelta delta,
        ChatProbabilities? probabilities = null,
        string? finish = null,
        ChatProgress? progress = null
    )
    {
        var piece = new ChatPiece
        {
            Delta = delta,
            Logprobs = probabilities,
            FinishReason = finish,
        };
        Send(Chunk([piece]) with { PromptProgress = progress });
    }

    private CountedChatChunk Chunk(IReadOnlyList<ChatPiece> choices) =>
        new()
        {
            Id = $"chatcmpl-{head.Number}",
            Created = head.Created,
            Model = ask.Model,
            SystemFingerprint = head.Fingerprint,
            Choices = choices,
        };

    // Written as what it is or as the chunk that knows nothing of usage.
    private void Send(CountedChatChunk chunk)
    {
        if (ask.CountsTokens)
            frames.Send(null, chunk, WireJson.Readable.CountedChatChunk);
        else
            frames.Send<ChatChunk>(null, chunk, WireJson.Readable.ChatChunk);
    }
}
