using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.Json;

namespace GptOss.Hub;

/// <summary>
/// Requests to the hub and to where it keeps bytes: redirects by hand, the token to the hub's own host only, no waiting
/// for a silent server.
/// </summary>
/// <remarks>
/// SocketsHttpHandler drops Authorization at every redirect, also at those within a host, and hands every other header
/// on to strangers. Therefore redirects are followed here.
/// </remarks>
internal sealed class HubClient : IDisposable
{
    private const int MostRedirects = 10,
        MostJsonBytes = 32 << 20;

    private readonly HubSettings _settings;
    private readonly HttpClient _http;

    public HubClient(HubSettings settings, RepositoryName repository)
    {
        _settings = settings;
        Errors = new HubErrors(repository, settings.Endpoint, settings.Token is not null);
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                UseCookies = false,
                ConnectTimeout = settings.Connect,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("gptoss/1.0 (dotnet)");
        _http.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    public HubErrors Errors { get; }

    /// <summary>An address of the hub: its own, then the path with every part escaped.</summary>
    public Uri Address(params IEnumerable<string> parts) =>
        new(
            _settings.Endpoint.AbsoluteUri.TrimEnd('/')
                + string.Concat(
                    parts.SelectMany(part => part.Split('/')).Select(part => "/" + Uri.EscapeDataString(part))
                )
        );

    /// <summary>Whether an address is one of the hub itself, which may see the token.</summary>
    public bool IsHub(Uri address) =>
        address.Scheme == _settings.Endpoint.Scheme
        && address.Port == _settings.Endpoint.Port
        && address.Host.Equals(_settings.Endpoint.Host, StringComparison.OrdinalIgnoreCase);

    /// <summary>Asks for a JSON document; gives that and the address of its next page.</summary>
    /// <exception cref="TransientException">It may succeed when it is asked for again.</exception>
    /// <exception cref="HubException">It will not.</exception>
    public async Task<(JsonDocument Json, Uri? Next)> JsonAsync(
        Uri address,
        string what,
        CancellationToken cancellation
    )
    {
        using HttpResponseMessage response = await SendAsync(
                HttpMethod.Get,
                address,
                new Asked(what, 0, _ => false),
                cancellation
            )
            .ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw Errors.Of(response, what);
        const string Expected = "application/json";
        if (response.Content.Headers.ContentType?.MediaType != Expected)
            throw Errors.Wrong(what, Expected, response);
        byte[] body = await BodyAsync(response, what, cancellation).ConfigureAwait(false);
        try
        {
            return (JsonDocument.Parse(body), Next(response));
        }
        catch (JsonException)
        {
            throw Errors.Wrong(what, "JSON", response);
        }
    }

    /// <summary>Asks where the bytes of a file are, and follows the hub's own redirects.</summary>
    /// <exception cref="TransientException">It may succeed when it is asked for again.</exception>
    /// <exception cref="HubException">It will not, or something that is not the hub answers.</exception>
    public async Task<FilePlace> PlaceAsync(Uri address, HubFile file, CancellationToken cancellation)
    {
        var place = new FilePlace(address, null, null, null);
        var asked = new Asked(file.Path, 0, IsEnough);
        using HttpResponseMessage response = await SendAsync(HttpMethod.Head, address, asked, cancellation)
            .ConfigureAwait(false);
        if (!response.IsSuccessStatusCode && !IsRedirect(response))
            throw Errors.Of(response, file.Path);
        return place.Commit is not null ? place : throw Errors.Wrong(file.Path, $"{file.Bytes} bytes", response);

        bool IsEnough(HttpResponseMessage hop)
        {
            place = place.With(hop);
            return !IsHub(place.Address);
        }
    }

    /// <summary>Asks for the bytes of a file from a position on. The answer is looked at by the caller.</summary>
    public Task<HttpResponseMessage> BytesAsync(Uri address, string what, long from, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, address, new Asked(what, from, _ => false), cancellation);

    /// <summary>Reads some bytes of an answer.</summary>
    /// <returns>How many; 0 at the end.</returns>
    /// <exception cref="TransientException">The connection broke, or was silent for too long.</exception>
    public Task<int> ReadAsync(
        Stream body,
        Memory<byte> buffer,
        (string What, Uri Address) asked,
        CancellationToken cancellation
    ) => WithinSilenceAsync(limit => body.ReadAsync(buffer, limit).AsTask(), asked, cancellation);

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        Uri address,
        Asked asked,
        CancellationToken cancellation
    )
    {
        for (int hop = 0; ; hop++)
        {
            if (address.Scheme is not ("http" or "https"))
                throw NotHttp(asked);
            using var request = new HttpRequestMessage(method, address) { Version = HttpVersion.Version11 };
            if (_settings.Token is { } token && IsHub(address))
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (asked.From > 0)
                request.Headers.Range = new RangeHeaderValue(asked.From, null);
            HttpResponseMessage response = await WithinSilenceAsync(
                    limit => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit),
                    (asked.What, address),
                    cancellation
                )
                .ConfigureAwait(false);
            if (asked.IsEnough(response) || !IsRedirect(response))
                return response;
            bool isAddress = Uri.TryCreate(address, response.Headers.Location, out Uri? next);
            response.Dispose();
            address = isAddress ? next! : throw NotHttp(asked);
            if (hop == MostRedirects)
                throw Errors.Listing($"leads in circles: '{asked.What}' was sent on {hop + 1} times.");
        }
    }

    private HubException NotHttp(Asked asked) =>
        Errors.Listing($"sends '{asked.What}' on to an address that is none of HTTP.");

    private async Task<T> WithinSilenceAsync<T>(
        Func<CancellationToken, Task<T>> work,
        (string What, Uri Address) asked,
        CancellationToken cancellation
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_settings.Silence);
        try
        {
            return await work(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            string cause =
                e.InnerException is TimeoutException
                    ? $"no connection within {_settings.Connect.TotalSeconds:0.#} s"
                    : $"nothing came for {_settings.Silence.TotalSeconds:0.#} s";
            throw Errors.Broken(asked.What, asked.Address, cause, e);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException cause)
        {
            throw Errors.NotSecure(asked.Address, cause);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // Some messages of HttpClient only point to those of their causes.
            string cause = e.Message.Contains("inner exception", StringComparison.Ordinal)
                ? e.GetBaseException().Message
                : e.Message;
            throw Errors.Broken(asked.What, asked.Address, cause.Trim().TrimEnd('.'), e);
        }
    }

    private async Task<byte[]> BodyAsync(HttpResponseMessage response, string what, CancellationToken cancellation)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        (string, Uri) asked = (what, response.RequestMessage!.RequestUri!);
        while (await ReadAsync(body, buffer, asked, cancellation).ConfigureAwait(false) is > 0 and int read)
        {
            all.Write(buffer, 0, read);
            if (all.Length > MostJsonBytes)
                throw Errors.Listing($"is longer than {Sizes.Text(MostJsonBytes)}.");
        }
        return all.ToArray();
    }

    private Uri? Next(HttpResponseMessage response)
    {
        if (
            HubErrors.Header(response, "Link") is not { } link
            || !link.Contains("rel=\"next\"", StringComparison.Ordinal)
        )
            return null;
        int open = link.IndexOf('<', StringComparison.Ordinal),
            close = link.IndexOf('>', StringComparison.Ordinal);
        return
            open >= 0
            && close > open
            && Uri.TryCreate(response.RequestMessage!.RequestUri, link[(open + 1)..close], out Uri? next)
            && IsHub(next)
            ? next
            : throw Errors.Listing($"has a next page that is not at {_settings.Endpoint.Host}.");
    }

    private static bool IsRedirect(HttpResponseMessage response) =>
        (int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is not null;

    /// <summary>What is asked for, and from which byte on.</summary>
    /// <param name="What">Its name for messages.</param>
    /// <param name="From">The first byte that is wanted.</param>
    /// <param name="IsEnough">Whether an answer is the last that is wanted, though it may be a redirect.</param>
    private readonly record struct Asked(string What, long From, Func<HttpResponseMessage, bool> IsEnough);
}
