using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Brings one answer to the client, as a stream of events or whole.</summary>
/// <param name="http">The request that is answered.</param>
/// <param name="options">The server's limits of time.</param>
/// <param name="visit">Measures the time since the request came.</param>
internal abstract class Delivery(HttpContext http, GptOssServerOptions options, Visit visit)
{
    private TimeSpan _lastSent;
    private TimeSpan? _accepted;

    /// <summary>
    /// Whether the client was given a status, or is about to be: from here on a fault has none of its own.
    /// </summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether the client has gone, or took nothing for so long that it counts as gone.</summary>
    public bool IsGone { get; private set; }

    /// <summary>
    /// How long the client may hear nothing from now on: until it is clear whether the request is accepted, for ever,
    /// since a refusal has a status of its own.
    /// </summary>
    public TimeSpan UntilBeat =>
        HasBegun ? _lastSent + options.Heartbeat - visit.Elapsed
        : _accepted is { } since ? since + Patience - visit.Elapsed
        : Timeout.InfiniteTimeSpan;

    /// <summary>Says that nothing is wrong with the request: from here on there is nothing but to wait.</summary>
    public void Accept() => _accepted ??= visit.Elapsed;

    /// <summary>Takes an event of the answer.</summary>
    public abstract void Add(ReplyEvent happened);

    /// <summary>Sends what was added.</summary>
    public abstract ValueTask SendAsync();

    /// <summary>Tells how far the prompt is read, where this can be told.</summary>
    public abstract ValueTask ProgressAsync(Beat beat);

    /// <summary>Lets the client hear that the server still works.</summary>
    public abstract ValueTask BeatAsync(Beat beat);

    /// <summary>Sends the end of the answer, whose last event was added.</summary>
    public abstract ValueTask EndAsync();

    /// <summary>Tells a fault after the status was sent.</summary>
    public abstract ValueTask FailAsync(Fault fault);

    /// <summary>How long the status of an accepted request is held back, so that a fault can have its own.</summary>
    protected abstract TimeSpan Patience { get; }

    /// <summary>The request that is answered.</summary>
    protected HttpContext Http => http;

    /// <summary>Decides for the status 200.</summary>
    /// <param name="contentType">What the body is.</param>
    protected void Begin(string contentType)
    {
        HasBegun = true;
        http.Response.ContentType = contentType;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Hands what was written to the network; a client that does not take it counts as gone.</summary>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    protected async ValueTask FlushAsync()
    {
        try
        {
            await PatientFlush.FlushAsync(http, options.MaxFlush).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            IsGone = true;
            throw;
        }
        _lastSent = visit.Elapsed;
    }
}
