using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>
/// Damaged bodies in all dialects: each is answered, or refused with a reason, and none is a defect. The suite sends
/// the first six hundred of twenty thousand.
/// </summary>
[Trait("kind", "long")]
[Promise(26)]
public sealed class MutationTests
{
    private static readonly HashSet<int> Allowed = [200, 400, 404, 413, 415, 503];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_damaged_body_is_answered_or_refused_and_never_a_defect()
    {
        int count = Long.IsLong ? 20_000 : 600;
        // A short context ends answers whose limit was damaged.
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { ContextLength = 512 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        var seen = new ConcurrentDictionary<int, int>();
        await Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Stop },
            async (seed, _) => seen.AddOrUpdate(await StatusAsync(host, seed), 1, (_, before) => before + 1)
        );
        Figure.Tell(string.Join(", ", seen.OrderBy(status => status.Key).Select(of => $"{of.Value} x {of.Key}")));
        Assert.Equal(count, seen.Values.Sum());
        Assert.True(seen[200] > count / 20, "hardly anything was answered");
        Assert.True(seen[400] > count / 20, "hardly anything was refused");
        JsonElement good = await host.AskAsync("What is 345 + 678?", ",\"temperature\":0");
        Assert.Contains("1023", good.GetRawText(), StringComparison.Ordinal);
    }

    private static async Task<int> StatusAsync(TestHost host, int seed)
    {
        (string path, byte[] body) = new Mutator(seed).Next();
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await host.Client.PostAsync(path, content, Stop);
        string answer = await response.Content.ReadAsStringAsync(Stop),
            shown = $"seed {seed}: {path} {Encoding.UTF8.GetString(body)}\n{(int)response.StatusCode} {answer}";
        Assert.True(Allowed.Contains((int)response.StatusCode), shown);
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
            Assert.True(
                answer.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal)
                    || answer.EndsWith("data: {\"type\":\"message_stop\"}\n\n", StringComparison.Ordinal),
                shown
            );
        else
            Assert.True(JsonElement.Parse(answer).ValueKind == JsonValueKind.Object, shown);
        if (response.StatusCode != HttpStatusCode.OK)
            Assert.True(answer.Contains("\"message\":\"", StringComparison.Ordinal), shown);
        return (int)response.StatusCode;
    }
}
