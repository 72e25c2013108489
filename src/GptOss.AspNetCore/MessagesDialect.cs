using System.Text.Json;
using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore;

/// <summary>Anthropic's Messages, whose answers are blocks.</summary>
internal sealed class MessagesDialect : Dialect
{
    public override string Name => "messages";

    // A status of Anthropic's own, which its clients try again.
    private const int Overloaded = 529;

    public override Ask Read(WireValue body, ReadingContext context) => MessagesReader.Read(body, context);

    public override ReplyWriter NewWriter(Ask ask, ReplyHead head, IFrames frames) =>
        new MessagesWriter((MessagesAsk)ask, head, frames);

    public override ReplyFold NewFold(Ask ask) => new MessagesFold();

    public override byte[] ErrorBody(Fault fault, string requestId) =>
        JsonSerializer.SerializeToUtf8Bytes(MessageFault.Of(fault, requestId), WireJson.Readable.MessageEvent);

    public override int StatusOf(Fault fault) => fault.Kind == FaultKind.Busy ? Overloaded : base.StatusOf(fault);
}
