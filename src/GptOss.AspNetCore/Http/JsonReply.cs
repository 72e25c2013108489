using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GptOss.AspNetCore.Http;

/// <summary>Answers a request with JSON that is there already.</summary>
internal static class JsonReply
{
    // What is written and not yet taken is held for each client: little of a large answer at a time.
    private const int Piece = 64 << 10;

    /// <summary>Sends an object with the status 200.</summary>
    public static Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type) =>
        WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Sends what is JSON in UTF-8.</summary>
    public static async Task WriteAsync(HttpContext http, byte[] json)
    {
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = json.Length;
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        TimeSpan most = http.RequestServices.GetRequiredService<ServerCore>().Options.MaxFlush;
        for (int at = 0; at < json.Length; at += Piece)
        {
            http.Response.BodyWriter.Write(json.AsSpan(at, Math.Min(Piece, json.Length - at)));
            await PatientFlush.FlushAsync(http, most).ConfigureAwait(false);
        }
    }
}
