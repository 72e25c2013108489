// Longer than the budget: each test holds up the turns or the gate in its own way, over one setting.
using System.Diagnostics;
using System.Net;
using System.Text;
using GptOss.AspNetCore.Admission;
using GptOss.AspNetCore.Http;
using GptOss.AspNetCore.Requests;
using GptOss.Chat;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace GptOss.AspNetCore.Tests;

/// <summary>Who runs and who waits; and what becomes of requests whose clients go.</summary>
public sealed class AdmissionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task When_to_come_again_counts_from_the_beginning_of_the_prompt_and_not_from_the_wait_before()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        await host.AskAsync("SLEEP 1200\nREAD 10 10\nSAY 1");
        RunTimes times = host.App.Services.GetRequiredService<ServerCore>().Times;
        Assert.Equal(TimeSpan.FromSeconds(1), times.RetryAfter);
    }

    [Fact]
    public async Task Whose_tokens_are_counted_wait_for_their_turn_to_be_read_and_nobody_else_does()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        await using TestHost script = await TestHost.ScriptedAsync();
        using var goOn = new ManualResetEventSlim();
        int places = Math.Max(1, Environment.ProcessorCount - 1);
        Task[] held =
        [
            .. Enumerable
                .Range(0, places)
                .Select(_ => ReadingTurns.OfProcess.RunAsync(null, () => goOn.Wait(TimeSpan.FromSeconds(30)), Stop)),
        ];
        string messages = TestHost.Question("x");
        Task<HttpResponseMessage>[] counted =
        [
            host.PostAsync("""{"content":"x"}""", "/v1/tokenize"),
            host.PostAsync(messages, "/v1/tokenize"),
            host.PostAsync(messages, "/v1/messages/count_tokens"),
            host.PostAsync("""{"input":"x"}""", "/v1/responses/input_tokens"),
        ];
        using var gone = new CancellationTokenSource();
        Task<IReadOnlyList<int>> cancelled = client.EncodePromptAsync([], cancellationToken: gone.Token);
        await script.AskAsync("SAY 1");
        await Task.Delay(200, Stop);
        Assert.DoesNotContain(counted, request => request.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            cancelled.WaitAsync(TimeSpan.FromSeconds(10), Stop)
        );
        goOn.Set();
        await Task.WhenAll(held);
        foreach (HttpResponseMessage answer in await Task.WhenAll(counted))
            using (answer)
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Texts_to_be_tokenized_take_turns_over_the_scopes_as_requests_do()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client, options =>
            options.CacheScope = http => http.Request.Headers["x-tenant"]
        );
        using var goOn = new ManualResetEventSlim();
        int places = Math.Max(1, Environment.ProcessorCount - 1);
        Task[] held =
        [
            .. Enumerable
                .Range(0, places)
                .Select(_ => ReadingTurns.OfProcess.RunAsync(null, () => goOn.Wait(TimeSpan.FromSeconds(30)), Stop)),
        ];
        // As many as a scope may have before another is read once, and more of them.
        List<string> order = [];
        Task[] many = [.. Enumerable.Range(0, 20 * places).Select(_ => TokenizeAsync("many"))];
        await Task.Delay(500, Stop);
        Task one = TokenizeAsync("one");
        await Task.Delay(500, Stop);
        goOn.Set();
        await Task.WhenAll([.. held, .. many, one]);
        Assert.InRange(order.IndexOf("one"), 0, 10 * places);

        async Task TokenizeAsync(string tenant)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/tokenize")
            {
                Content = new StringContent(
                    $$"""{"content":"{{string.Concat(Enumerable.Repeat("word ", tenant == "one" ? 1 : 20_000))}}"}""",
                    Encoding.UTF8,
                    "application/json"
                ),
            };
            request.Headers.Add("x-tenant", tenant);
            using HttpResponseMessage answer = await host.Client.SendAsync(request, Stop);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            lock (order)
                order.Add(tenant);
        }
    }

    [Fact]
    public async Task Requests_that_wait_to_be_read_fill_the_queue_of_the_model()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 1 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        using var goOn = new ManualResetEventSlim();
        int places = Math.Max(1, Environment.ProcessorCount - 1);
        Task[] held =
        [
            .. Enumerable
                .Range(0, places)
                .Select(_ => ReadingTurns.OfProcess.RunAsync(null, () => goOn.Wait(TimeSpan.FromSeconds(30)), Stop)),
        ];
        var model = (GptOssModel)client.GetService(typeof(GptOssModel))!;
        string question = TestHost.Question("What is 1 + 2?", ",\"max_tokens\":2");
        Task<HttpResponseMessage>[] taken = [host.PostAsync(question), host.PostAsync(question)];
        await TestHost.UntilAsync(() => model.IsBusy);
        using HttpResponseMessage refused = await host.PostAsync("no JSON");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await Assert.ThrowsAsync<EngineBusyException>(() => client.GetResponseAsync("Hi", cancellationToken: Stop));
        goOn.Set();
        await Task.WhenAll(held);
        foreach (HttpResponseMessage answer in await Task.WhenAll(taken))
            using (answer)
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(model.IsBusy);
        using HttpResponseMessage wrong = await host.PostAsync(
            TestHost.Question(
                "Hi",
                ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"not\":{}}}}"
            )
        );
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.False(model.IsBusy); // its place is free again
    }

    /// <summary>What is made of a large body takes several times its memory, until its prompt is tokens.</summary>
    [Fact]
    public async Task Of_large_bodies_as_many_are_parsed_at_once_as_there_are_processors()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        BodyReader bodies = host.App.Services.GetRequiredService<ServerCore>().Bodies;
        List<RequestBody> parsed = [];
        for (int i = 0; i < Environment.ProcessorCount; i++)
            parsed.Add(await bodies.ReadAsync(Body(2_000_000)));
        Task<RequestBody> next = bodies.ReadAsync(Body(2_000_000));
        (await bodies.ReadAsync(Body(10))).Dispose();
        await Task.Delay(200, Stop);
        Assert.False(next.IsCompleted);
        IDisposable turn = Assert.IsAssignableFrom<IDisposable>(parsed[0].TakeTurn());
        parsed[0].Dispose(); // its turn was handed over
        await Task.Delay(200, Stop);
        Assert.False(next.IsCompleted);
        turn.Dispose();
        (await next.WaitAsync(TimeSpan.FromSeconds(10), Stop)).Dispose();
        foreach (RequestBody body in parsed[1..])
            body.Dispose();

        static DefaultHttpContext Body(int length) =>
            new()
            {
                Request =
                {
                    ContentType = "application/json",
                    Body = new MemoryStream(Encoding.UTF8.GetBytes($"{{\"x\":\"{new string('x', length)}\"}}")),
                },
            };
    }

    [Fact]
    public async Task Whoever_waits_too_long_is_sent_away()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            (options.MaxRunning, options.MaxWait) = (1, TimeSpan.FromMilliseconds(200))
        );
        Task<HttpResponseMessage> first = host.PostAsync(TestHost.Question("SLEEP 1500\nSAY 1"));
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        using HttpResponseMessage second = await host.PostAsync(TestHost.Question("SAY 2", ",\"stream\":true"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, second.StatusCode);
        Assert.True((await first).IsSuccessStatusCode);
    }

    [Trait("fault", "F85")]
    [Trait("fault", "F87")]
    [Theory]
    [InlineData("LONG 100000 5", ",\"stream\":true")]
    [InlineData("LONG 100000 5", "")]
    [InlineData("SLEEP 60000", ",\"stream\":true")]
    [InlineData("READ 1000 60000", "")]
    public async Task A_client_that_goes_ends_its_answer(string question, string more)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using var gone = new CancellationTokenSource();
        using var content = new StringContent(TestHost.Question(question, more), null, "application/json");
        Task<HttpResponseMessage> asked = host.Client.PostAsync("/v1/chat/completions", content, gone.Token);
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        await Task.Delay(50, Stop);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await TestHost.UntilAsync(() => host.Script.Running == 0);
    }

    [Trait("fault", "F88")]
    [Fact]
    public async Task A_client_that_goes_while_it_waits_never_runs()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxRunning = 1);
        Task<HttpResponseMessage> first = host.PostAsync(TestHost.Question("SLEEP 800\nSAY 1"));
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        using var gone = new CancellationTokenSource();
        using var content = new StringContent(TestHost.Question("SAY 2"), null, "application/json");
        Task<HttpResponseMessage> second = host.Client.PostAsync("/v1/chat/completions", content, gone.Token);
        await Task.Delay(100, Stop);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.True((await first).IsSuccessStatusCode);
        await host.AskAsync("SAY 3");
        Assert.Equal(2, host.Script.Asked.Count);
    }

    [Trait("fault", "F99")]
    [Fact]
    public async Task A_server_that_ends_refuses_new_requests_and_those_that_wait_and_lets_the_others_finish()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxRunning = 1);
        Task<HttpResponseMessage> running = host.PostAsync(
            TestHost.Question("LONG 10 100", ",\"stream\":true"),
            HttpCompletionOption.ResponseHeadersRead
        );
        using HttpResponseMessage stream = await running;
        Task<HttpResponseMessage> waiting = host.PostAsync(TestHost.Question("SAY 2"));
        await Task.Delay(100, Stop);
        Task ending = host.App.StopAsync(Stop);
        await Task.Delay(100, Stop);
        using HttpResponseMessage refused = await host.PostAsync(TestHost.Question("SAY 3"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Contains("shutting_down", await refused.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        using HttpResponseMessage health = await host.Client.GetAsync("/health", Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Contains("draining", await health.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Contains(
            "shutting_down",
            await (await waiting).Content.ReadAsStringAsync(Stop),
            StringComparison.Ordinal
        );
        string body = await stream.Content.ReadAsStringAsync(Stop);
        Assert.Contains("word9 ", body, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", body, StringComparison.Ordinal);
        await ending;
    }

    [Trait("fault", "F99")]
    [Fact]
    public async Task A_server_that_ends_breaks_off_what_takes_longer_than_its_drain()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.Drain = TimeSpan.FromMilliseconds(200)
        );
        using HttpResponseMessage stream = await host.PostAsync(
            TestHost.Question("LONG 100000 20", ",\"stream\":true"),
            HttpCompletionOption.ResponseHeadersRead
        );
        var watch = Stopwatch.StartNew();
        await host.App.StopAsync(Stop);
        Assert.InRange(watch.ElapsedMilliseconds, 150, 4000);
        string last = TestHost.DataOf(await stream.Content.ReadAsStringAsync(Stop))[^1];
        Assert.Contains("shutting_down", last, StringComparison.Ordinal);
        Assert.Equal(0, host.Script.Running);
    }

    [Fact]
    public async Task Health_and_names_never_wait_for_the_model()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxRunning = 1);
        Task<HttpResponseMessage> busy = host.PostAsync(TestHost.Question("SLEEP 700\nSAY 1"));
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        var watch = Stopwatch.StartNew();
        Assert.True((await host.Client.GetAsync("/health", Stop)).IsSuccessStatusCode);
        Assert.True((await host.Client.GetAsync("/v1/models", Stop)).IsSuccessStatusCode);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 500);
        Assert.True((await busy).IsSuccessStatusCode);
    }

    [Fact]
    public async Task The_queue_of_the_engine_itself_is_the_gate_over_a_client_of_GptOss()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 1 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        HttpResponseMessage[] all = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i => host.PostAsync(TestHost.Question($"Count from {i} to 1000.", ",\"max_tokens\":300")))
        );
        Assert.Contains(all, response => response.StatusCode == HttpStatusCode.OK);
        HttpResponseMessage[] refused =
        [
            .. all.Where(response => response.StatusCode == HttpStatusCode.ServiceUnavailable),
        ];
        Assert.NotEmpty(refused);
        Assert.Equal(8, all.Count(response => response.IsSuccessStatusCode) + refused.Length);
        Assert.All(refused, response => Assert.NotNull(response.Headers.RetryAfter));
    }
}
