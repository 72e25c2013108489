using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>
/// Keeps pages of other origins out: any page in a browser can send requests to a port of the machine it runs on.
/// </summary>
/// <param name="origins">The origins that may ask beside the server's own; <c>*</c> stands for all.</param>
internal sealed class OriginCheck(IReadOnlyCollection<string> origins)
{
    private readonly bool _admitsAll = origins.Contains("*");

    /// <summary>Whether a request comes from no page, from a page of this server, or from one that may ask.</summary>
    public bool Admits(HttpContext http)
    {
        if (_admitsAll || (origins.Count == 0 && http.GetEndpoint()?.Metadata.GetMetadata<ICorsMetadata>() is not null))
            return true;
        string origin = http.Request.Headers.Origin.ToString();
        return origin.Length > 0
            ? IsOwn(origin, http.Request) || origins.Contains(origin, StringComparer.OrdinalIgnoreCase)
            : http.Request.Headers["Sec-Fetch-Site"] != "cross-site";
    }

    // Behind a proxy that ends TLS the scheme differs, and the host is the browser's all the same.
    private static bool IsOwn(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? page)
        && (page.Scheme == Uri.UriSchemeHttp || page.Scheme == Uri.UriSchemeHttps)
        && request.Host.HasValue
        && string.Equals(page.Authority, Authority(request, page), StringComparison.OrdinalIgnoreCase);

    // An address leaves out the port that its scheme has as a rule, and so may the header.
    private static string Authority(HttpRequest request, Uri page) =>
        request.Host.Port is { } port && new UriBuilder(page.Scheme, "host", port).Uri.IsDefaultPort
            ? request.Host.Host
            : request.Host.Value!;
}
