using System.Globalization;
using System.Net;

namespace GptOss.Hub;

/// <summary>From the hub's answers to errors: which can be tried again, which say what the user must do.</summary>
/// <param name="repository">Whose files were asked for.</param>
/// <param name="endpoint">The address of the hub.</param>
/// <param name="hasToken">Whether a token was sent.</param>
internal sealed class HubErrors(RepositoryName repository, Uri endpoint, bool hasToken)
{
    // A server that wants more than this is asked again anyway.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>The error that an answer means, thrown as one to try again or as a final one.</summary>
    /// <param name="response">The answer, whose status is no success.</param>
    /// <param name="what">What was asked for, such as the path of a file.</param>
    public Exception Of(HttpResponseMessage response, string what)
    {
        Uri? address = response.RequestMessage?.RequestUri;
        int status = (int)response.StatusCode;
        if (
            response.StatusCode
            is HttpStatusCode.RequestTimeout
                or HttpStatusCode.TooManyRequests
                or HttpStatusCode.InternalServerError
                or HttpStatusCode.BadGateway
                or HttpStatusCode.ServiceUnavailable
                or HttpStatusCode.GatewayTimeout
        )
            return Again(response, what);
        (HubProblem problem, string reason) = Reason(response, what);
        string told = Header(response, "X-Error-Message") is { } message
            ? $" The hub says: {Printable.Name(message)}"
            : "";
        return new HubException(problem, $"{repository}: {reason}{told}", address, status);
    }

    /// <summary>The error for a connection that broke, which is tried again.</summary>
    /// <param name="what">What was asked for.</param>
    /// <param name="address">Where it was asked for.</param>
    /// <param name="cause">What happened, without a full stop.</param>
    /// <param name="inner">The error of the system; null where there is none.</param>
    public TransientException Broken(string what, Uri address, string cause, Exception? inner = null) =>
        new(
            new HubException(
                HubProblem.Network,
                $"{repository}: the connection to {address.Host} failed again and again while {what} was fetched: "
                    + $"{cause}. What has arrived is kept: run the same command again. "
                    + "A proxy is named by HTTPS_PROXY, a mirror of the hub by HF_ENDPOINT.",
                address,
                inner: inner
            ),
            cause
        );

    /// <summary>The error for a server whose certificate is not trusted, or that does not speak TLS.</summary>
    public HubException NotSecure(Uri address, Exception cause) =>
        new(
            HubProblem.Network,
            $"{repository}: there is no secure connection to {address.Host}: {cause.Message.TrimEnd('.')}. A proxy "
                + "with a certificate of its own may stand between: make the system trust it, or use another network.",
            address,
            inner: cause
        );

    /// <summary>The error for content that is not what was asked for.</summary>
    /// <param name="what">What was asked for.</param>
    /// <param name="expected">What it should be.</param>
    /// <param name="response">What came in its place.</param>
    public HubException Wrong(string what, string expected, HttpResponseMessage response)
    {
        string found = response.Content.Headers.ContentType?.MediaType ?? "content of no type";
        if (Length(response) is { } bytes)
            found += $" of {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes";
        Uri? address = response.RequestMessage?.RequestUri;
        return new HubException(
            HubProblem.WrongContent,
            $"{repository}: {what} should be {expected}, but {address?.Host} answered with {found}. A proxy or a "
                + "sign-in page of the network may stand between: look at the address in a browser.",
            address,
            (int)response.StatusCode
        );
    }

    private static long? Length(HttpResponseMessage response) =>
        response.Content.Headers.ContentRange?.Length ?? response.Content.Headers.ContentLength;

    /// <summary>The error for a listing that cannot be understood or trusted.</summary>
    public HubException Listing(string reason) =>
        new(HubProblem.WrongContent, $"{repository}: the hub's list of files {reason}", endpoint);

    private (HubProblem Problem, string Reason) Reason(HttpResponseMessage response, string what)
    {
        string page = new Uri(endpoint, $"/{repository}").ToString();
        return (Header(response, "X-Error-Code"), response.StatusCode) switch
        {
            ("GatedRepo", _) => (
                HubProblem.Gated,
                hasToken
                    ? $"its terms are not accepted by the owner of this token: accept its terms at {page}."
                    : $"its terms must be accepted: accept its terms at {page}, then set HF_TOKEN."
            ),
            ("RepoNotFound", _) => (
                HubProblem.NotFound,
                $"there is no such repository at {endpoint.Host}, or it is private: check the name"
                    + (hasToken ? " and what the token may read." : ", or set HF_TOKEN.")
            ),
            ("RevisionNotFound", _) => (HubProblem.NotFound, $"it has no {what}."),
            ("EntryNotFound", _) => (HubProblem.NotFound, $"it has no file '{what}' any more."),
            (_, HttpStatusCode.Unauthorized) => (
                HubProblem.Unauthorized,
                hasToken
                    ? "the token is not accepted: make a new one, or unset HF_TOKEN for what is public."
                    : "it does not exist, or wants a token: check the name, or set HF_TOKEN."
            ),
            (_, HttpStatusCode.Forbidden) => (
                HubProblem.Unauthorized,
                hasToken ? "the token may not read it." : "it may not be read without a token: set HF_TOKEN."
            ),
            (_, HttpStatusCode.NotFound) => (HubProblem.NotFound, $"{what} was not found."),
            (_, var status) => (HubProblem.Network, $"{what} was answered with {(int)status}."),
        };
    }

    private TransientException Again(HttpResponseMessage response, string what)
    {
        bool isLimit = response.StatusCode == HttpStatusCode.TooManyRequests;
        int status = (int)response.StatusCode;
        string host = response.RequestMessage?.RequestUri?.Host ?? endpoint.Host;
        return new TransientException(
            new HubException(
                isLimit ? HubProblem.RateLimited : HubProblem.Network,
                isLimit
                    ? $"{repository}: {host} allows no more requests for now ({what}). Wait some minutes, or set "
                        + "HF_TOKEN, which allows more; then run the same command again."
                    : $"{repository}: {host} answered {what} with {status} again and again. What has arrived is kept: "
                        + "run the same command again.",
                response.RequestMessage?.RequestUri,
                status
            ),
            isLimit ? "the hub allows no more requests for now" : $"{host} answered with {status}",
            isLimit ? WaitOf(response) : null
        );
    }

    /// <summary>How long a server wants to be left alone: its own header's t, else Retry-After.</summary>
    private static TimeSpan? WaitOf(HttpResponseMessage response)
    {
        TimeSpan? wait =
            Header(response, "RateLimit")?.Split(';').Select(part => part.Trim()).FirstOrDefault(IsTime) is { } time
                ? TimeSpan.FromSeconds(1 + int.Parse(time.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture))
            : response.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - DateTimeOffset.UtcNow
            : null;
        return wait > LongestWait ? LongestWait
            : wait < TimeSpan.Zero ? TimeSpan.Zero
            : wait;
    }

    private static bool IsTime(string part) =>
        part.StartsWith("t=", StringComparison.Ordinal)
        && int.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
        && seconds < 1_000_000;

    public static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
