using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Answers a request with JSON that is there already.</summary>
internal static class JsonReply
{
    /// <summary>Sends an object with the status 200.</summary>
    public static Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type) =>
        WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Sends what is JSON in UTF-8.</summary>
    public static async Task WriteAsync(HttpContext http, byte[] json)
    {
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = json.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(json, http.RequestAborted).ConfigureAwait(false);
    }
}
