using System.Net;
using System.Net.Sockets;
using System.Text;

namespace GptOss.AspNetCore.Tests;

/// <summary>HTTP byte by byte, as no client library would speak it.</summary>
internal static class RawHttp
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The head of a request of Chat Completions.</summary>
    public static string Head(params string[] headers) =>
        $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + string.Concat(headers.Select(header => header + "\r\n"))
        + "\r\n";

    public static async Task<Socket> ConnectAsync(TestHost host)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, host.Address.Port), Stop);
        return socket;
    }

    public static async Task SendAsync(Socket socket, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int sent = 0; sent < bytes.Length; )
            sent += await socket.SendAsync(bytes.AsMemory(sent), Stop);
    }

    /// <summary>All that comes until the server closes the connection.</summary>
    public static async Task<string> ReadAsync(Socket socket)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[64 << 10];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            while (await socket.ReceiveAsync(buffer, limit.Token) is var read and > 0)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (SocketException)
        {
            // Reset by the server: what came before counts.
        }
        return text.ToString();
    }
}
