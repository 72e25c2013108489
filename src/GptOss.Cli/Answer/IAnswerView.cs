using Microsoft.Extensions.AI;

namespace GptOss.Cli.Answer;

/// <summary>Shows an answer while it comes.</summary>
internal interface IAnswerView
{
    /// <summary>Shows the next piece: reasoning, text, a call or its result; other contents show nothing.</summary>
    void Show(AIContent content);

    /// <summary>Ends the answer, also one that was stopped.</summary>
    void End(ChatResponse answer);
}
