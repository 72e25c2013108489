using GptOss.AspNetCore.Admission;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace GptOss.AspNetCore.Http;

/// <summary>Reads the bodies of requests; thread-safe.</summary>
/// <remarks>
/// What a client says of the length is not believed: memory is taken for bytes that have come. Only a body beyond a
/// megabyte needs one of the places, so that clients who hold them all by sending slowly hold up no common request.
/// What is made of a large body takes several times its memory, so that only as many are parsed at once as there are
/// processors, and the others wait as the bytes that they are.
/// </remarks>
/// <param name="limit">The most bytes of a body.</param>
/// <param name="atOnce">The most large bodies that are read at the same time.</param>
/// <param name="maxWait">How long a large body waits for its turn.</param>
/// <param name="times">Says when a refused request may try again.</param>
internal sealed class BodyReader(long limit, int atOnce, TimeSpan maxWait, RunTimes times) : IDisposable
{
    private const int FirstBuffer = 64 << 10,
        LargestWithoutPlace = 1 << 20;

    private readonly SemaphoreSlim _places = new(atOnce),
        _turns = new(Environment.ProcessorCount);

    /// <summary>Reads and parses a body of JSON.</summary>
    /// <exception cref="FaultException">The body is no object of JSON, or too large, or other large ones have all
    /// places.</exception>
    /// <exception cref="BadHttpRequestException">The body came too slowly, or broke off.</exception>
    public async Task<RequestBody> ReadAsync(HttpContext http)
    {
        RefuseForeignTypes(http.Request);
        if (http.Request.ContentLength > limit)
            throw new FaultException(KnownFaults.TooLarge(limit));
        // The limit here is the one that counts: that of the web server may be lower.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = limit + 1;
        return await ReadAsync(http.Request.Body, http.RequestAborted).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _places.Dispose();
        _turns.Dispose();
    }

    private async Task<RequestBody> ReadAsync(Stream body, CancellationToken aborted)
    {
        byte[] buffer = RequestBody.Buffers.Rent(FirstBuffer);
        bool hasPlace = false;
        try
        {
            int length = 0;
            while (await NextAsync(body, buffer.AsMemory(length), aborted).ConfigureAwait(false) is var read and > 0)
            {
                length += read;
                if (length > limit)
                    throw new FaultException(KnownFaults.TooLarge(limit));
                if (length < buffer.Length)
                    continue;
                if (!hasPlace && length >= LargestWithoutPlace)
                    hasPlace = await WaitAsync(_places, aborted).ConfigureAwait(false);
                buffer = Grown(buffer);
            }
            Turn? turn = hasPlace && await WaitAsync(_turns, aborted).ConfigureAwait(false) ? new Turn(_turns) : null;
            try
            {
                return RequestBody.Parse(buffer.AsMemory(0, length), buffer, turn);
            }
            catch
            {
                turn?.Dispose();
                throw;
            }
        }
        catch
        {
            RequestBody.Buffers.Return(buffer);
            throw;
        }
        finally
        {
            if (hasPlace)
                _places.Release();
        }
    }

    private async Task<bool> WaitAsync(SemaphoreSlim places, CancellationToken aborted) =>
        await places.WaitAsync(maxWait, aborted).ConfigureAwait(false)
            ? true
            : throw new FaultException(KnownFaults.Overloaded(times.RetryAfter));

    // Kestrel has a kind of its own for most bodies that are framed wrongly, and tells the others by the base of it.
    private static async ValueTask<int> NextAsync(Stream body, Memory<byte> buffer, CancellationToken aborted)
    {
        try
        {
            return await body.ReadAsync(buffer, aborted).ConfigureAwait(false);
        }
        catch (IOException error) when (error is not BadHttpRequestException && !aborted.IsCancellationRequested)
        {
            throw new FaultException(
                new Fault(FaultKind.Invalid, "invalid_json", "The body broke off, or its chunks are no chunks.")
            );
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

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        private SemaphoreSlim? _turns = turns;

        public void Dispose() => Interlocked.Exchange(ref _turns, null)?.Release();
    }
}
