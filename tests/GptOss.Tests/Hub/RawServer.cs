using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GptOss.Tests.Hub;

/// <summary>
/// A server of HTTP on the loopback, written on bare sockets so that it can break off, drip, keep silent and lie about
/// lengths.
/// </summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<RawRequest, RawReply> _answer;

    public RawServer(Func<RawRequest, RawReply> answer)
    {
        _answer = answer;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _ = AcceptAsync();
    }

    public Uri Address { get; }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using Socket connection = socket;
            if (await ReadAsync(connection) is not { } request)
                return;
            RawReply reply = _answer(request);
            if (reply.IsSilent)
            {
                await Task.Delay(Timeout.Infinite, _end.Token);
                return;
            }
            await connection.SendAsync(Head(reply), SocketFlags.None, _end.Token);
            if (request.Method != "HEAD")
                await SendBodyAsync(connection, reply);
            if (reply.CutAfter is not null)
                connection.LingerState = new LingerOption(true, 0); // a reset, as a cable that is pulled
            else
                connection.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client went away.
        }
    }

    private async Task SendBodyAsync(Socket connection, RawReply reply)
    {
        ReadOnlyMemory<byte> body = reply.Body;
        if (reply.CutAfter is { } most)
            body = body[..Math.Min(most, body.Length)];
        int piece = reply.DripBytes ?? Math.Max(1, body.Length);
        for (int at = 0; at < body.Length; at += piece)
        {
            await connection.SendAsync(body.Slice(at, Math.Min(piece, body.Length - at)), SocketFlags.None, _end.Token);
            if (reply.DripBytes is not null)
                await Task.Delay(reply.DripPause, _end.Token);
        }
        if (reply.IsSilentAtTheEnd)
            await Task.Delay(Timeout.Infinite, _end.Token);
        if (reply.CutAfter is not null)
            await Task.Delay(20, _end.Token); // so that what was sent arrives before the reset
    }

    private static byte[] Head(RawReply reply)
    {
        var head = new StringBuilder($"HTTP/1.1 {reply.Status} Something\r\nConnection: close\r\n");
        if (reply.Length is { } length)
            head.Append($"Content-Length: {length}\r\n");
        foreach ((string name, string value) in reply.Headers)
            head.Append($"{name}: {value}\r\n");
        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    private async Task<RawRequest?> ReadAsync(Socket connection)
    {
        byte[] buffer = new byte[1 << 14];
        int filled = 0;
        while (true)
        {
            int read = await connection.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, _end.Token);
            if (read == 0)
                return null;
            filled += read;
            string text = Encoding.ASCII.GetString(buffer, 0, filled);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and int end)
                return RawRequest.Parse(text[..end]);
        }
    }
}

/// <summary>A request as it came, without a body.</summary>
internal sealed record RawRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string Path => Target.Split('?')[0];

    public string? Authorization => Headers.GetValueOrDefault("authorization");

    /// <summary>The first byte of the range; null where none is asked for.</summary>
    public long? From =>
        Headers.GetValueOrDefault("range") is { } range
            ? long.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture)
            : null;

    public static RawRequest Parse(string head)
    {
        string[] lines = head.Split("\r\n");
        string[] first = lines[0].Split(' ');
        return new RawRequest(
            first[0],
            first[1],
            lines
                .Skip(1)
                .Select(line => line.Split(": ", 2))
                .ToDictionary(pair => pair[0].ToLowerInvariant(), pair => pair[1])
        );
    }
}

/// <summary>An answer with all its faults.</summary>
internal sealed record RawReply(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>What Content-Length says; null leaves it out.</summary>
    public long? Length { get; init; } = Body.Length;

    /// <summary>Resets the connection once this many bytes of the body are sent.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Bytes that are sent at a time, with a pause behind them.</summary>
    public int? DripBytes { get; init; }

    public TimeSpan DripPause { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Never answers.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Sends the body and never ends.</summary>
    public bool IsSilentAtTheEnd { get; init; }

    public static RawReply Text(int status, string text, params (string, string)[] headers) =>
        new(status, Encoding.UTF8.GetBytes(text), headers);
}
