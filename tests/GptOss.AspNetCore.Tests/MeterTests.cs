using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace GptOss.AspNetCore.Tests;

/// <summary>The meter <c>GptOss.AspNetCore</c>, as a listener of one server sees it.</summary>
public sealed class MeterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("chat", "/v1/chat/completions", """{"messages":[{"role":"user","content":"SLEEP 50\nSAY a"}]}""")]
    [InlineData("responses", "/v1/responses", """{"input":"SLEEP 50\nSAY a"}""")]
    [InlineData("messages", "/v1/messages", """{"messages":[{"role":"user","content":"SLEEP 50\nSAY a"}]}""")]
    public async Task An_answer_tells_its_time_and_that_of_its_first_word(string dialect, string path, string body)
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.Aliases.Add("*"));
        using var listener = new Listener(host);
        using HttpResponseMessage response = await host.PostAsync(body, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        string tags =
            $"gen_ai.operation.name=chat gen_ai.provider.name=gptoss gen_ai.response.model=gpt-oss-20b "
            + $"gptoss.dialect={dialect}";
        await TestHost.UntilAsync(() => listener.Seen.Count == 2);
        (string name, double first, string ofFirst) = listener.Seen.First();
        Assert.Equal(("gen_ai.server.time_to_first_token", tags), (name, ofFirst));
        (name, double total, string ofTotal) = listener.Seen.Last();
        Assert.Equal(("gen_ai.server.request.duration", tags), (name, ofTotal));
        Assert.InRange(first, 0.045, total);
    }

    [Fact]
    public async Task Refusals_are_counted_by_their_code_and_tell_no_word_of_the_request()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.ApiKeys.Add("k"));
        using var listener = new Listener(host);
        await host.PostAsync(TestHost.Question("x"));
        host.Client.DefaultRequestHeaders.Add("x-api-key", "k");
        await host.PostAsync(TestHost.Question("x", ",\"model\":\"forged\""));
        await host.PostAsync(TestHost.Question("SAY a\nFAIL", ",\"stream\":true"));
        await host.Client.GetAsync("/v1/forged", Stop);
        await TestHost.UntilAsync(() => listener.Of("gptoss.server.refused").Length == 4);
        Assert.Equal(
            [
                "gptoss.code=invalid_api_key",
                "gptoss.code=model_not_found",
                "gptoss.code=internal_error",
                "gptoss.code=unknown_url",
            ],
            listener.Of("gptoss.server.refused")
        );
        Assert.EndsWith("error.type=internal_error", listener.Of("gen_ai.server.request.duration").Single());
        Assert.DoesNotContain(listener.Seen, seen => seen.Tags.Contains("forged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_tells_who_runs_who_waits_and_who_went()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxRunning = 2);
        using var listener = new Listener(host);
        using var gone = new CancellationTokenSource();
        Task[] asked =
        [
            .. Enumerable
                .Range(0, 5)
                .Select(async _ =>
                {
                    using var body = new StringContent(TestHost.Question("SLEEP 60000"), null, "application/json");
                    await host.Client.PostAsync("/v1/chat/completions", body, gone.Token);
                }),
        ];
        await TestHost.UntilAsync(() => listener.Now("gptoss.server.queued") == 3);
        Assert.Equal(2, listener.Now("gptoss.server.running"));
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(asked));
        await TestHost.UntilAsync(() => listener.Of("gptoss.server.gone").Length == 5);
        Assert.Equal((0, 0), (listener.Now("gptoss.server.queued"), listener.Now("gptoss.server.running")));
    }

    [Fact]
    public async Task A_request_over_a_client_of_GptOss_waits_until_its_prompt_is_begun()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { MaxRunning = 1 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client, options =>
            options.StreamPatience = TimeSpan.FromMilliseconds(1)
        );
        using var listener = new Listener(host);
        using HttpResponseMessage first = await StreamAsync(),
            second = await StreamAsync();
        // The heads of both come as soon as patience is over, be their prompts begun or not.
        await TestHost.UntilAsync(() =>
            (listener.Now("gptoss.server.running"), listener.Now("gptoss.server.queued")) == (1, 1)
        );
        first.Dispose();
        await TestHost.UntilAsync(() => listener.Now("gptoss.server.queued") == 0);

        Task<HttpResponseMessage> StreamAsync() =>
            host.PostAsync(
                // The token that is wished for comes again and again, so that the answer is long.
                TestHost.Question("x", ",\"stream\":true,\"max_tokens\":4000,\"logit_bias\":{\"17\":100}"),
                HttpCompletionOption.ResponseHeadersRead
            );
    }

    [Fact]
    public async Task A_client_that_takes_nothing_is_counted_as_gone_and_not_as_refused()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.MaxFlush = TimeSpan.FromMilliseconds(200)
        );
        using var listener = new Listener(host);
        for (int i = 1; i <= 3; i++)
        {
            using Socket slow = await RawHttp.ConnectAsync(host);
            string body = TestHost.Question("LONG 10000000", ",\"stream\":true");
            await RawHttp.SendAsync(slow, RawHttp.Head($"Content-Length: {body.Length}") + body);
            await TestHost.UntilAsync(() => host.Script.Asked.Count == i && host.Script.Running == 0);
        }
        await TestHost.UntilAsync(() => listener.Of("gen_ai.server.request.duration").Length == 3);
        Assert.Equal(3, listener.Of("gptoss.server.gone").Length);
        Assert.Empty(listener.Of("gptoss.server.refused"));
    }

    [Fact]
    public async Task It_tells_what_is_stored()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using var listener = new Listener(host);
        Assert.Equal(0, listener.Now("gptoss.server.stored_bytes"));
        await host.PostAsync("""{"input":"SAY a"}""", "/v1/responses");
        Assert.InRange(listener.Now("gptoss.server.stored_bytes"), 500, 5000);
    }

    [Fact]
    public async Task A_hosts_own_path_can_stand_behind_the_same_door()
    {
        await using TestHost host = await TestHost.ScriptedAsync(
            options => options.ApiKeys.Add("k"),
            map: app =>
            {
                app.MapGptOss();
                app.Map("/metrics", (HttpContext http) => http.Response.WriteAsync("figures")).RequireGptOssKey();
            }
        );
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Client.GetAsync("/metrics", Stop)).StatusCode);
        host.Client.DefaultRequestHeaders.Add("x-api-key", "k");
        Assert.Equal("figures", await host.Client.GetStringAsync("/metrics", Stop));
        host.Client.DefaultRequestHeaders.Add("Origin", "http://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Client.GetAsync("/metrics", Stop)).StatusCode);
    }

    /// <summary>Hears the meter of one server, however many there are in the process.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentDictionary<string, long> _now = new();

        public Listener(TestHost host)
        {
            object scope = host.App.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GptOss.AspNetCore" && instrument.Meter.Scope == scope)
                    self.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((of, value, tags, _) => Add(of, value, tags));
            _listener.SetMeasurementEventCallback<long>((of, value, tags, _) => Add(of, value, tags));
            _listener.SetMeasurementEventCallback<int>((of, value, tags, _) => Add(of, value, tags));
            _listener.Start();
        }

        /// <summary>What was measured, in order, without what is only looked at.</summary>
        public ConcurrentQueue<(string Name, double Value, string Tags)> Seen { get; } = new();

        public string[] Of(string name) => [.. Seen.Where(seen => seen.Name == name).Select(seen => seen.Tags)];

        public long Now(string name)
        {
            _listener.RecordObservableInstruments();
            return _now[name];
        }

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument of, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (of.IsObservable)
                _now[of.Name] = (long)value;
            else
                Seen.Enqueue(
                    (of.Name, value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")))
                );
        }
    }
}
