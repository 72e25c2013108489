using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using GptOss.AspNetCore.Wire;

namespace GptOss.AspNetCore;

/// <summary>OpenAI's Chat Completions, whose form of errors all other paths of OpenAI's API share.</summary>
internal sealed class ChatDialect : Dialect
{
    public override Ask Read(WireValue body, ReadingContext context) => ChatReader.Read(body, context);

    public override ReplyWriter NewWriter(Ask ask, ReplyHead head, IFrames frames) =>
        new ChatWriter((ChatAsk)ask, head, frames);

    public override ReplyFold NewFold(Ask ask) => new ChatFold();

    public override byte[] ErrorBody(Fault fault, string requestId) => OpenAiError.ToJson(fault);
}
