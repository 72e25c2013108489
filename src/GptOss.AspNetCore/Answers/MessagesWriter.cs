using System.Text;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore.Answers;

/// <summary>Writes an answer as events of Messages: one block after another, each begun, grown and ended.</summary>
/// <param name="ask">The request that is answered.</param>
/// <param name="head">What the answer says of itself.</param>
/// <param name="frames">Takes the events of the stream.</param>
internal sealed class MessagesWriter(MessagesAsk ask, ReplyHead head, IFrames frames) : ReplyWriter
{
    // Some clients count no pings, and ask again after 300 seconds.
    private static readonly TimeSpan BetweenStrongBeats = TimeSpan.FromMinutes(1);

    private readonly StringBuilder _thinking = new();
    private MessageBlock? _open;
    private ToolInput? _input;
    private int _index = -1;
    private TimeSpan _strongBeat;

    public override void Begin()
    {
        var message = new MessageObject
        {
            Id = $"msg_{head.Number}",
            Model = ask.Model,
            Content = [],
            Usage = MessageUsage.None,
        };
        Send("message_start", new MessageStart(message));
        Send("ping", new MessagePing());
    }

    public override void Add(ReplyEvent happened)
    {
        switch (happened)
        {
            case ReplyEvent.Reasoning reasoning:
                if (_open is not ThinkingBlock)
                    Open(new ThinkingBlock("", ""));
                _thinking.Append(reasoning.Delta);
                Grow(new ThinkingDelta(reasoning.Delta));
                break;
            case ReplyEvent.Text text:
                if (_open is not TextBlock)
                    Open(new TextBlock(""));
                Grow(new TextBlockDelta(text.Delta));
                break;
            case ReplyEvent.CallStarted call:
                Open(new ToolUseBlock(ToolUseIds.Of(call.Id), call.Name, ToolInputText.Nothing));
                _input = new ToolInput();
                break;
            case ReplyEvent.CallInput input:
                GrowInput(_input?.Append(input.Delta));
                break;
            case ReplyEvent.CallEnded:
                Close();
                break;
            case ReplyEvent.Finished end:
                Close();
                Send("message_delta", new MessageEnd(EndOf(end), MessageUsage.Of(end.Usage)));
                Send("message_stop", new MessageStop());
                break;
        }
    }

    public override void Beat(Beat beat)
    {
        if (beat.Elapsed - _strongBeat >= BetweenStrongBeats)
        {
            _strongBeat = beat.Elapsed;
            Send("message_delta", new MessageEnd(new MessageEndDelta(null, null), MessageUsage.None));
        }
        else
            Send("ping", new MessagePing());
    }

    public override void Fail(Fault fault) => Send("error", MessageFault.Of(fault, $"req_{head.Number}"));

    // An answer that ended at a limit which the request did not set has filled the context.
    private MessageEndDelta EndOf(ReplyEvent.Finished end) =>
        end.Reason switch
        {
            ReplyEnd.Length when ask.Options.MaxOutputTokens is { } most && end.Usage.OutputTokenCount >= most => new(
                "max_tokens",
                null
            ),
            ReplyEnd.Length => new("model_context_window_exceeded", null),
            ReplyEnd.Calls => new("tool_use", null),
            _ when end.StopSequence is { } stop => new("stop_sequence", stop),
            _ => new("end_turn", null),
        };

    private void Open(MessageBlock block)
    {
        Close();
        _open = block;
        _index++;
        Send("content_block_start", new BlockStart(_index, block));
    }

    private void Close()
    {
        if (_open is null)
            return;
        if (_open is ThinkingBlock)
        {
            Grow(new SignatureDelta(SealedReasoning.Seal(_thinking.ToString())));
            _thinking.Clear();
        }
        GrowInput(_input?.End());
        (_input, _open) = (null, null);
        Send("content_block_stop", new BlockStop(_index));
    }

    private void GrowInput(string? delta)
    {
        if (delta is { Length: > 0 })
            Grow(new InputDelta(delta));
    }

    private void Grow(BlockDelta delta) => Send("content_block_delta", new BlockPiece(_index, delta));

    private void Send(string name, MessageEvent data) => frames.Send(name, data, WireJson.Readable.MessageEvent);
}
