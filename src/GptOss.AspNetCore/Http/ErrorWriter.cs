using System.Globalization;
using GptOss.AspNetCore.Faults;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Answers a request with a fault, in the form of its dialect.</summary>
internal static class ErrorWriter
{
    /// <summary>Sends status, headers and body; nothing must have been sent before.</summary>
    public static async Task WriteAsync(HttpContext http, Dialect dialect, Fault fault, Visit visit)
    {
        visit.Fail(fault.Code);
        HttpResponse response = http.Response;
        response.StatusCode = dialect.StatusOf(fault);
        response.ContentType = "application/json; charset=utf-8";
        if (fault.RetryAfter is { } wait)
            response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (fault.Allowed.Count > 0)
            response.Headers.Allow = string.Join(", ", fault.Allowed);
        if (fault.Kind == FaultKind.Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
        // What is left of a body that nobody reads would be read before the next request of the connection.
        if (fault.Kind is FaultKind.TooLarge or FaultKind.Timeout or FaultKind.Unauthorized)
            response.Headers.Connection = "close";
        byte[] body = dialect.ErrorBody(fault, visit.Id);
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await response.Body.WriteAsync(body, http.RequestAborted).ConfigureAwait(false);
    }
}
