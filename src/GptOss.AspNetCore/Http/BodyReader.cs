using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace GptOss.AspNetCore.Http;

/// <summary>Reads the bodies of requests; thread-safe.</summary>
/// <param name="limit">The most bytes of a body.</param>
/// <param name="atOnce">The most bodies that are read at the same time.</param>
internal sealed class BodyReader(long limit, int atOnce) : IDisposable
{
    // What a client says of the length is believed up to a megabyte; the rest has to come first.
    private const int SmallestBuffer = 64 << 10,
        LargestFirstBuffer = 1 << 20;

    private readonly SemaphoreSlim _places = new(atOnce);

    /// <summary>Reads and parses a body of JSON.</summary>
    /// <exception cref="FaultException">The body is no object of JSON, or too large.</exception>
    /// <exception cref="BadHttpRequestException">The body came too slowly, or broke off.</exception>
    public async Task<RequestBody> ReadAsync(HttpContext http)
    {
        RefuseForeignTypes(http.Request);
        if (http.Request.ContentLength > limit)
            throw new FaultException(KnownFaults.TooLarge(limit));
        // The limit here is the one that counts: that of the web server may be lower.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = limit + 1;
        await _places.WaitAsync(http.RequestAborted).ConfigureAwait(false);
        try
        {
            return await ReadAsync(http.Request, http.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken aborted)
    {
        byte[] buffer = RequestBody.Buffers.Rent(
            (int)Math.Clamp((request.ContentLength ?? 0) + 1, SmallestBuffer, LargestFirstBuffer)
        );
        try
        {
            int length = 0;
            while (
                await request.Body.ReadAsync(buffer.AsMemory(length), aborted).ConfigureAwait(false) is var read
                && read > 0
            )
            {
                length += read;
                if (length > limit)
                    throw new FaultException(KnownFaults.TooLarge(limit));
                if (length == buffer.Length)
                    buffer = Grown(buffer);
            }
            return RequestBody.Parse(buffer.AsMemory(0, length), buffer);
        }
        catch
        {
            RequestBody.Buffers.Return(buffer);
            throw;
        }
    }

    private static byte[] Grown(byte[] buffer)
    {
        byte[] larger = RequestBody.Buffers.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        RequestBody.Buffers.Return(buffer);
        return larger;
    }

    private static void RefuseForeignTypes(HttpRequest request)
    {
        bool isJson =
            MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && (
                type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
            )
            && (
                !type.Charset.HasValue
                || type.Charset.Value.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            );
        if (!isJson)
            throw Foreign("The body should be JSON in UTF-8, with 'Content-Type: application/json'.");
        string coding = request.Headers.ContentEncoding.ToString();
        if (coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            throw Foreign("The body should not be compressed.");
    }

    private static FaultException Foreign(string message) =>
        new(new Fault(FaultKind.MediaType, "unsupported_media_type", message));
}
