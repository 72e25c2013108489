using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using GptOss.Tests.Fuzzing;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>The body of a request in any dialect, behind a line with its path, sent to a server.</summary>
internal sealed class BodyInput(TestHost host, CancellationToken stop) : FuzzInput
{
    private static readonly HashSet<HttpStatusCode> Refusals =
    [
        HttpStatusCode.BadRequest,
        HttpStatusCode.NotFound,
        HttpStatusCode.RequestEntityTooLarge,
        HttpStatusCode.UnsupportedMediaType,
        HttpStatusCode.ServiceUnavailable,
    ];

    private static readonly byte[][] Sound = [.. GoodBodies.All.Select(good => Encoding.UTF8.GetBytes(good.Body))];

    public override string Name => "http-body";

    /// <summary>The suite sends the beginning of twenty thousand.</summary>
    public override int Cases => Long.IsLong ? 20_000 : 600;

    /// <summary>The time of an answer to the end of the context, on a machine that does other things.</summary>
    public override TimeSpan MostTime => TimeSpan.FromSeconds(10);

    /// <summary>Other threads read: only what the client of HTTP needs for an answer of some 100 KB is seen.</summary>
    public override long MostBytes(int length) => 16 << 20;

    public override TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>A damaged request: the path, and the body for it.</summary>
    public static (string Path, byte[] Body) DrawRequest(Random random)
    {
        (string path, string good) = Any(GoodBodies.All, random);
        byte[] body = Encoding.UTF8.GetBytes(good);
        for (int damages = Damages(random); damages > 0; damages--)
            body = JsonDamage.Damage(body, random, Sound);
        // A dialect's body at the path of another.
        return (random.Next(20) == 0 ? Any(GoodBodies.All, random).Path : path, body);
    }

    public override byte[] Draw(Random random)
    {
        (string path, byte[] body) = DrawRequest(random);
        return [.. Encoding.ASCII.GetBytes($"{path}\n"), .. body];
    }

    /// <summary>
    /// An answer, whole to the last line of its stream, or a refusal with a message; never a status that means a
    /// defect.
    /// </summary>
    public override bool Reads(byte[] input)
    {
        int line = Array.IndexOf(input, (byte)'\n');
        string path = Encoding.ASCII.GetString(input, 0, line);
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(input, line + 1, input.Length - line - 1),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        (HttpStatusCode status, string? type, string answer) = SendAsync(request).GetAwaiter().GetResult();
        string shown = $"{(int)status} {answer}";
        Assert.True(status == HttpStatusCode.OK || Refusals.Contains(status), shown);
        if (type == "text/event-stream")
            Assert.True(
                answer.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal)
                    || answer.EndsWith("data: {\"type\":\"message_stop\"}\n\n", StringComparison.Ordinal),
                shown
            );
        else
            Assert.True(JsonElement.Parse(answer).ValueKind == JsonValueKind.Object, shown);
        if (status != HttpStatusCode.OK)
            Assert.True(answer.Contains("\"message\":\"", StringComparison.Ordinal), shown);
        return status == HttpStatusCode.OK;
    }

    private async Task<(HttpStatusCode, string?, string)> SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await host.Client.SendAsync(request, stop);
        return (
            response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(stop)
        );
    }
}
