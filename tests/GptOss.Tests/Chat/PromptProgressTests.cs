using GptOss.Tests.Generation;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

public sealed class PromptProgressTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_prompt_is_reported_from_its_begin_to_its_end_and_seldom_between()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        var heard = new Listener();
        string question = string.Concat(Enumerable.Repeat("one two three four ", 150)) + "What is 345 + 678?";
        ChatResponse response = await client.GetResponseAsync(question, Options(heard), Stop);

        int total = (int)response.Usage!.InputTokenCount!.Value;
        Assert.InRange(total, 1537, 2048); // four chunks
        Assert.Equal(new PromptProgress(total, 0, 0), heard.Values[0]);
        Assert.Equal(new PromptProgress(total, 0, total), heard.Values[^1]);
        Assert.Equal(heard.Values.OrderBy(value => value.Processed), heard.Values);
        Assert.InRange(heard.Values.Count, 2, 5);
    }

    [Fact]
    public async Task A_listener_that_throws_ends_its_request_and_no_other()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            client.GetResponseAsync("What is 1 + 1?", Options(new Listener { Throws = true }), Stop)
        );
        Assert.Equal("not now", error.Message);

        Assert.NotEmpty((await client.GetResponseAsync("What is 345 + 678?", Options(new Listener()), Stop)).Text);
        // The client stops reading at the answer's last token, and the loop then gives the memory back.
        await SchedulerUnderTest.Until(() => client.GetService<GptOssModel>()!.Engine.Cache.Bytes == 0);
    }

    /// <summary>
    /// A client gives up while its prompt is read, and asks again: what was read is found again. A pass that the
    /// cancellation ends is lost, and so is at most what was not reported yet.
    /// </summary>
    [Fact]
    public async Task What_was_read_of_a_cancelled_prompt_is_found_again()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { ContextLength = 8192 },
            cancellationToken: Stop
        );
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var half = new Listener
        {
            Heard = value =>
            {
                if (2 * value.Processed >= value.Total)
                    gone.Cancel();
            },
        };
        string question = string.Concat(Enumerable.Repeat("one two three four ", 450)) + "What is 345 + 678?";
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            client.GetResponseAsync(question, Options(half), gone.Token)
        );
        PromptProgress last = half.Values[^1];
        Assert.InRange(last.Total, 4_500, 8_000);
        Assert.True(last.Processed < last.Total);

        ChatResponse response = await client.GetResponseAsync(question, Options(new Listener()), Stop);
        int cached = (int)response.Usage!.CachedInputTokenCount!.Value;
        Assert.Equal(last.Total, response.Usage.InputTokenCount);
        // Whole pages of 64 tokens are kept.
        Assert.InRange(cached, Math.Max(last.Processed - 63, (int)(0.45 * last.Total)), last.Total - 1);
    }

    private static ChatOptions Options(IProgress<PromptProgress> progress) =>
        new()
        {
            Temperature = 0,
            MaxOutputTokens = 100,
            RawRepresentationFactory = _ => new GptOssRequestOptions { PromptProgress = progress },
        };

    private sealed class Listener : IProgress<PromptProgress>
    {
        public List<PromptProgress> Values { get; } = [];

        public bool Throws { get; init; }

        public Action<PromptProgress> Heard { get; init; } = _ => { };

        public void Report(PromptProgress value)
        {
            if (Throws)
                throw new InvalidOperationException("not now");
            Values.Add(value);
            Heard(value);
        }
    }
}
