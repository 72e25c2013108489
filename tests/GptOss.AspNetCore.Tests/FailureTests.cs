using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace GptOss.AspNetCore.Tests;

/// <summary>What becomes of a request, of those beside it and of the server when something breaks.</summary>
public sealed class FailureTests(TinyServer tiny)
{
    private const string Sum = "What is 345 + 678?";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Trait("fault", "F97")]
    [Theory]
    [InlineData("")]
    [InlineData(",\"stream\":true")]
    public async Task A_weight_that_is_no_number_fails_the_request_and_health_says_so(string more)
    {
        using var model = new DamagedTinyModel();
        model.Poison("model.norm.weight");
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(model.Folder, cancellationToken: Stop);
        await using TestHost host = await TestHost.OverAsync(client);
        using HttpResponseMessage answer = await host.PostAsync(TestHost.Question(Sum, more));
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("internal_error", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        await AssertDegradedAsync(host, "model.norm.weight", model.Folder);
    }

    [Trait("fault", "F98")]
    [Fact]
    public async Task A_weight_file_that_is_cut_fails_the_next_request_by_name_and_ends_nothing()
    {
        using var model = new DamagedTinyModel();
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(model.Folder, cancellationToken: Stop);
        await using TestHost host = await TestHost.OverAsync(client);
        await host.AskAsync(Sum, ",\"max_tokens\":4");
        model.Cut();
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage answer = await host.PostAsync(TestHost.Question(Sum));
            string body = await answer.Content.ReadAsStringAsync(Stop);
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
            Assert.Contains("file of the model was changed", body, StringComparison.Ordinal);
            Assert.DoesNotContain(model.Folder, body, StringComparison.Ordinal);
        }
        await AssertDegradedAsync(host, "was changed", model.Folder);
    }

    [Trait("fault", "F100")]
    [Fact]
    public async Task A_request_whose_client_throws_fails_alone()
    {
        await using TestHost host = await TestHost.OverAsync(new BreakingClient(tiny.Client));
        string[] questions = [Sum, "What is 12 + 34?", "Name a colour."];
        string[] alone = [.. await Task.WhenAll(questions.Select(AnswerAsync))];
        Task<string>[] beside = [.. questions.Select(AnswerAsync)];
        Task<List<string>>[] broken =
        [
            .. Enumerable.Range(0, 8).Select(_ => host.StreamAsync($"{BreakingClient.Later} {Sum}")),
        ];
        Assert.Equal(alone, await Task.WhenAll(beside));
        foreach (List<string> data in await Task.WhenAll(broken))
        {
            Assert.Contains("internal_error", data[^1], StringComparison.Ordinal);
            Assert.DoesNotContain("[DONE]", data);
        }

        async Task<string> AnswerAsync(string question)
        {
            JsonElement answer = await host.AskAsync(question, ",\"temperature\":0,\"max_tokens\":60");
            return answer.GetProperty("choices")[0].GetRawText();
        }
    }

    [Trait("fault", "F101")]
    [Theory]
    [InlineData("")]
    [InlineData(",\"stream\":true")]
    public async Task A_request_without_memory_may_come_again(string more)
    {
        await using TestHost host = await TestHost.OverAsync(new BreakingClient(tiny.Client));
        using HttpResponseMessage full = await host.PostAsync(TestHost.Question(BreakingClient.Memory, more));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);
        Assert.NotNull(full.Headers.RetryAfter);
        Assert.Contains("overloaded", await full.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        await host.AskAsync(Sum, ",\"max_tokens\":4");
        Assert.True((await host.Client.GetAsync("/health", Stop)).IsSuccessStatusCode);
    }

    // As a call over the network that took too long: neither the server nor who asks has ended it.
    [Theory]
    [InlineData("")]
    [InlineData(",\"stream\":true")]
    public async Task A_client_that_gives_up_of_its_own_accord_is_a_defect_and_no_limit_of_the_server(string more)
    {
        await using TestHost host = await TestHost.OverAsync(new BreakingClient(tiny.Client));
        using HttpResponseMessage answer = await host.PostAsync(TestHost.Question(BreakingClient.Patience, more));
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("internal_error", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Trait("fault", "F105")]
    [Fact]
    public async Task A_clock_that_jumps_back_ends_and_prolongs_nothing()
    {
        var clock = new JumpingClock();
        await using TestHost host = await TestHost.ScriptedAsync(
            options => options.Heartbeat = TimeSpan.FromSeconds(1),
            builder => builder.Services.AddSingleton<TimeProvider>(clock)
        );
        using HttpResponseMessage response = await host.PostAsync(
            TestHost.Question("SAY begun\nSLEEP 1500\nSAY done", ",\"stream\":true"),
            HttpCompletionOption.ResponseHeadersRead
        );
        clock.Jump = TimeSpan.FromHours(-1);
        string body = await response.Content.ReadAsStringAsync(Stop);
        Assert.Contains(": ping", body, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", body, StringComparison.Ordinal);
    }

    private static async Task AssertDegradedAsync(TestHost host, string reason, string folder)
    {
        using HttpResponseMessage health = await host.Client.GetAsync("/health", Stop);
        string body = await health.Content.ReadAsStringAsync(Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal("degraded", JsonElement.Parse(body).GetProperty("status").GetString());
        Assert.Contains(reason, body, StringComparison.Ordinal);
        // Everybody may ask for the health.
        Assert.DoesNotContain(folder, body, StringComparison.Ordinal);
    }

    private sealed class JumpingClock : TimeProvider
    {
        public TimeSpan Jump { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;
    }

    /// <summary>A pipeline that breaks where the question asks for it.</summary>
    private sealed class BreakingClient(IChatClient inner) : DelegatingChatClient(inner)
    {
        public const string Later = "Break in the middle.",
            Memory = "Have no memory.",
            Patience = "Have no patience.";

        // The model behind it belongs to all tests.
        protected override void Dispose(bool disposing) => base.Dispose(disposing: false);

        public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default
        )
        {
            ChatMessage[] history = [.. messages];
            if (history[^1].Text == Memory)
                throw new InsufficientMemoryException("The keys and values do not fit.");
            if (history[^1].Text == Patience)
                throw new TaskCanceledException("The other server took too long.");
            int words = 0;
            await foreach (
                ChatResponseUpdate update in base.GetStreamingResponseAsync(history, options, cancellationToken)
            )
            {
                yield return update;
                if (update.Contents.Count > 0 && ++words == 3 && history[^1].Text.StartsWith(Later))
                    throw new InvalidTimeZoneException("The test says so.");
            }
        }
    }
}
