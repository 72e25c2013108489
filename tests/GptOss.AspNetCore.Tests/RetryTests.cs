using System.Text;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests;

/// <summary>A client that gives up while its prompt is read, and asks again.</summary>
public sealed class RetryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Trait("fault", "F87")]
    [Trait("fault", "F108")]
    [Fact]
    public async Task What_was_read_of_a_prompt_is_there_when_the_client_comes_again()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { ContextLength = 4096 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client, options =>
            options.StreamPatience = TimeSpan.FromMilliseconds(1)
        );
        string question = string.Concat(Enumerable.Repeat("one two three four ", 300)) + "What is 345 + 678?",
            more = ",\"max_tokens\":2,\"return_progress\":true";
        int total = 0,
            read = 0;
        using (
            HttpResponseMessage stream = await host.PostAsync(
                TestHost.Question(question, more + ",\"stream\":true"),
                HttpCompletionOption.ResponseHeadersRead
            )
        )
        {
            using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(Stop), Encoding.UTF8);
            while (2 * read < total || total == 0)
            {
                string line = await lines.ReadLineAsync(Stop)
                    ?? throw new InvalidOperationException("The stream ended.");
                if (!line.Contains("prompt_progress", StringComparison.Ordinal))
                    continue;
                JsonElement progress = JsonElement.Parse(line["data: ".Length..]).GetProperty("prompt_progress");
                total = progress.GetProperty("total").GetInt32();
                read = progress.GetProperty("processed").GetInt32();
            }
        }
        JsonElement again = await host.AskAsync(question, more);
        int cached = again
            .GetProperty("usage")
            .GetProperty("prompt_tokens_details")
            .GetProperty("cached_tokens")
            .GetInt32();
        Assert.InRange(cached, (int)(0.45 * total), total - 1);
    }
}
