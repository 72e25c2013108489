using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Answers a request with a body at once, without asking the model.</summary>
internal static class QuickReply
{
    /// <summary>Reads the body and answers; what goes wrong is told to the client.</summary>
    /// <param name="server">What all requests share.</param>
    /// <param name="dialect">The form of the errors.</param>
    /// <param name="http">The request that is answered.</param>
    /// <param name="visit">What the log is told of it.</param>
    /// <param name="answer">Answers what the body asks, with what is known of the model.</param>
    public static async Task AnswerAsync(
        ServerCore server,
        Dialect dialect,
        HttpContext http,
        Visit visit,
        Func<WireValue, ServedModel, Task> answer
    )
    {
        try
        {
            if (server.Model is not { } model)
                throw new FaultException(KnownFaults.Loading);
            using RequestBody body = await server.Bodies.ReadAsync(http).ConfigureAwait(false);
            await answer(body.Root, model).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (http.RequestAborted.IsCancellationRequested)
            {
                visit.End = Visit.Gone;
                return;
            }
            Fault fault = KnownFaults.Of(error, visit.Id, server.Times.RetryAfter);
            if (fault.Kind == FaultKind.Internal)
                ServerLog.Defect(server.Logger, visit.Id, error);
            await ErrorWriter.WriteAsync(http, dialect, fault, visit).ConfigureAwait(false);
        }
    }

    /// <summary>Counts the tokens of the prompt that a request of a dialect would have.</summary>
    /// <param name="server">What all requests share.</param>
    /// <param name="dialect">How the request is read.</param>
    /// <param name="http">The request that is answered.</param>
    /// <param name="visit">What the log is told of it.</param>
    /// <param name="answer">Answers with the count.</param>
    public static Task CountAsync(
        ServerCore server,
        Dialect dialect,
        HttpContext http,
        Visit visit,
        Func<int, Task> answer
    ) => AnswerAsync(server, dialect, http, visit, async (body, model) =>
        {
            GptOssChatClient client = model.Own
                ?? throw body.NotOffered("cannot be counted: the client is of another kind.");
            Ask ask = dialect.Read(body, server.ContextOf(model, visit.Scope));
            GptOssRequestOptions own = ask.Own with { CacheScope = visit.Scope, RecallAnswers = true };
            ask.Options.RawRepresentationFactory = _ => own;
            IReadOnlyList<int> prompt = await client
                .EncodePromptAsync(ask.Messages, ask.Options, http.RequestAborted)
                .ConfigureAwait(false);
            await answer(prompt.Count).ConfigureAwait(false);
        });
}
