using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.State;

namespace GptOss.AspNetCore;

/// <summary>OpenAI's Responses, whose answers can be stored and built on.</summary>
/// <param name="store">Keeps the answers that later ones build on.</param>
/// <param name="time">Tells when an answer is complete.</param>
internal sealed class ResponsesDialect(ResponseStore store, TimeProvider time) : OpenAiDialect
{
    private readonly ResponsesReader _reader = new(store);

    public override string Name => "responses";

    public override Ask Read(WireValue body, ReadingContext context) => _reader.Read(body, context);

    public override ReplyWriter NewWriter(Ask ask, ReplyHead head, IFrames frames) =>
        new ResponsesWriter((ResponsesAsk)ask, head, frames, store, time);

    public override ReplyFold NewFold(Ask ask) => new ResponsesFold();
}
