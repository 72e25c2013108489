using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Requests;

namespace GptOss.AspNetCore;

/// <summary>OpenAI's Chat Completions, whose form of errors all other paths of OpenAI's API share.</summary>
internal sealed class ChatDialect : OpenAiDialect
{
    public override string Name => "chat";

    public override Ask Read(WireValue body, ReadingContext context) => ChatReader.Read(body, context);

    public override ReplyWriter NewWriter(Ask ask, ReplyHead head, IFrames frames) =>
        new ChatWriter((ChatAsk)ask, head, frames);

    public override ReplyFold NewFold(Ask ask) => new ChatFold();
}
