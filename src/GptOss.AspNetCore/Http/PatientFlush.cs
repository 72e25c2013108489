using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Hands what was written to the network; a client that does not take it counts as gone.</summary>
internal static class PatientFlush
{
    /// <summary>Waits until the network has taken enough of what was written.</summary>
    /// <param name="http">The request that is answered.</param>
    /// <param name="most">How long the client may take.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public static async ValueTask FlushAsync(HttpContext http, TimeSpan most)
    {
        ValueTask<System.IO.Pipelines.FlushResult> flush = http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        if (flush.IsCompleted)
        {
            await flush.ConfigureAwait(false);
            return;
        }
        try
        {
            await flush.AsTask().WaitAsync(most).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            http.Abort();
            // The web server says a moment later that the request is aborted; whoever catches this asks for that.
            await Task.Delay(TimeSpan.FromSeconds(1), http.RequestAborted).ConfigureAwait(false);
            throw new OperationCanceledException(http.RequestAborted);
        }
    }
}
