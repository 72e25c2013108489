using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore;

/// <summary>
/// One way of speaking with the server: how a request is read, how its answer is written, and what an error looks
/// like. All else, from the first byte of a request to the last of its answer, is the same for every dialect.
/// </summary>
/// <remarks>
/// A new dialect is one of these, a reader of requests, a writer, its fold and the records of its JSON; and its paths
/// in <see cref="GptOssEndpoints"/>. Instances are shared by all requests.
/// </remarks>
internal abstract class Dialect
{
    /// <summary>The name by which metrics tell dialects apart.</summary>
    public abstract string Name { get; }

    /// <summary>Reads a request; nothing of it may hold the body's values.</summary>
    /// <exception cref="FaultException">The request is refused.</exception>
    public abstract Ask Read(WireValue body, ReadingContext context);

    /// <summary>A writer for one answer.</summary>
    /// <param name="ask">What <see cref="Read"/> made of the request.</param>
    /// <param name="head">What the answer says of itself.</param>
    /// <param name="frames">Takes what the writer writes.</param>
    public abstract ReplyWriter NewWriter(Ask ask, ReplyHead head, IFrames frames);

    /// <summary>Takes the frames of a writer for an answer that is sent whole.</summary>
    /// <param name="ask">What <see cref="Read"/> made of the request.</param>
    public abstract ReplyFold NewFold(Ask ask);

    /// <summary>The body of an error, in JSON.</summary>
    /// <param name="fault">What the client is told.</param>
    /// <param name="requestId">The id of the request, as its header has it.</param>
    public abstract byte[] ErrorBody(Fault fault, string requestId);

    /// <summary>The status of an error.</summary>
    public virtual int StatusOf(Fault fault) =>
        fault.Kind switch
        {
            FaultKind.Invalid => StatusCodes.Status400BadRequest,
            FaultKind.Unauthorized => StatusCodes.Status401Unauthorized,
            FaultKind.Forbidden => StatusCodes.Status403Forbidden,
            FaultKind.NotFound => StatusCodes.Status404NotFound,
            FaultKind.Method => StatusCodes.Status405MethodNotAllowed,
            FaultKind.Timeout => StatusCodes.Status408RequestTimeout,
            FaultKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
            FaultKind.MediaType => StatusCodes.Status415UnsupportedMediaType,
            FaultKind.Busy => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status500InternalServerError,
        };
}
