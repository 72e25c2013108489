using GptOss.AspNetCore.Faults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GptOss.AspNetCore.Http;

/// <summary>What every request passes before anything is done for it: method, origin, key.</summary>
/// <param name="server">What all requests share.</param>
internal sealed class Door(ServerCore server)
{
    /// <summary>A path's delegate behind the door.</summary>
    /// <param name="dialect">The form of the errors.</param>
    /// <param name="methods">The methods that the path is there for; HEAD comes with GET.</param>
    /// <param name="isOpen">Whether anybody may ask, whatever the key and the page.</param>
    /// <param name="handle">Answers whoever came through.</param>
    /// <param name="level">The level at which the log has the request.</param>
    public RequestDelegate Guard(
        Dialect dialect,
        IReadOnlyList<string> methods,
        bool isOpen,
        Func<HttpContext, Visit, Task> handle,
        LogLevel level = LogLevel.Information
    ) =>
        async http =>
        {
            var visit = new Visit(server.Options.Node, server.Time);
            http.Response.Headers["x-request-id"] = visit.Id;
            try
            {
                if (Refusal(http, methods, isOpen, visit) is { } fault)
                    await ErrorWriter.WriteAsync(http, dialect, fault, visit).ConfigureAwait(false);
                else
                    await handle(http, visit).ConfigureAwait(false);
            }
            catch (Exception error) when (IsOfTheGone(error, http))
            {
                visit.End = Visit.Gone;
            }
            finally
            {
                server.Meter.Record(visit, http.Response.StatusCode, server.Model?.Models.Id);
                Log(level, http, visit);
            }
        };

    private static bool IsOfTheGone(Exception error, HttpContext http) =>
        error is OperationCanceledException or IOException && http.RequestAborted.IsCancellationRequested;

    private Fault? Refusal(HttpContext http, IReadOnlyList<string> methods, bool isOpen, Visit visit)
    {
        string method = HttpMethods.IsHead(http.Request.Method) ? HttpMethods.Get : http.Request.Method;
        if (methods.Count > 0 && !methods.Contains(method))
            return new Fault(
                FaultKind.Method,
                "method_not_allowed",
                $"This path takes {string.Join(" and ", methods)}, and not {Fault.Quote(method)}."
            )
            {
                Allowed = methods,
            };
        if (HasTwoLengths(http.Request.Headers))
            return KnownFaults.TwoLengths;
        if (isOpen)
            return null;
        if (!server.Origins.Admits(http))
            return KnownFaults.ForeignOrigin;
        if (!server.Keys.Admits(http.Request, out string? scope))
            return KnownFaults.Unauthorized;
        visit.Scope = server.Options.CacheScope is { } own ? own(http) : scope;
        return null;
    }

    // A proxy that believes the length and a server that believes the chunks see two different next requests. Kestrel
    // believes the chunks, and gives the length another name.
    private static bool HasTwoLengths(IHeaderDictionary headers) =>
        headers.TransferEncoding.Count > 0
        && (headers.ContentLength is not null || headers.ContainsKey("X-Content-Length"));

    private void Log(LogLevel level, HttpContext http, Visit visit)
    {
        if (!server.Logger.IsEnabled(level))
            return;
        string method = Printable.Name(http.Request.Method),
            path = Printable.Name(http.Request.Path.Value ?? ""),
            end = visit.End ?? "done";
        int status = http.Response.StatusCode;
        long total = (long)visit.Elapsed.TotalMilliseconds;
        if (visit.Usage is { } usage)
            ServerLog.Answered(
                server.Logger,
                method,
                path,
                status,
                Printable.Name(visit.Model ?? ""),
                usage.InputTokenCount ?? 0,
                usage.CachedInputTokenCount ?? 0,
                usage.OutputTokenCount ?? 0,
                (long)(visit.Waited?.TotalMilliseconds ?? 0),
                (long)(visit.First ?? visit.Elapsed).TotalMilliseconds,
                total,
                end,
                visit.Id
            );
        else
            ServerLog.Told(server.Logger, level, method, path, status, total, end, visit.Id);
    }
}
