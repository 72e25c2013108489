using System.Net;
using System.Text.Json;
using GptOss.ScriptedServer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace GptOss.AspNetCore.Tests;

/// <summary>The server as a part of somebody's own host.</summary>
public sealed class HostingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_lives_below_a_prefix_beside_the_hosts_own_paths()
    {
        await using TestHost host = await TestHost.ScriptedAsync(map: app =>
        {
            app.MapGet("/", () => "mine");
            app.MapGptOss("/ai");
        });
        Assert.Equal("mine", await host.Client.GetStringAsync("/", Stop));
        Assert.Equal(
            HttpStatusCode.OK,
            (await host.PostAsync(TestHost.Question("x"), "/ai/v1/chat/completions")).StatusCode
        );
        using HttpResponseMessage unknown = await host.Client.GetAsync("/ai/nope", Stop);
        Assert.Contains("/ai/v1/models", await unknown.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        using HttpResponseMessage foreign = await host.Client.GetAsync("/nope", Stop);
        Assert.Equal(
            (HttpStatusCode.NotFound, ""),
            (foreign.StatusCode, await foreign.Content.ReadAsStringAsync(Stop))
        );
    }

    [Fact]
    public async Task The_hosts_conventions_hold_for_all_of_its_paths()
    {
        await using TestHost host = await TestHost.ScriptedAsync(
            build: builder =>
                builder.Services.AddRateLimiter(options =>
                    options.AddFixedWindowLimiter("one", window =>
                        (window.PermitLimit, window.Window) = (1, TimeSpan.FromMinutes(1))
                    )
                ),
            map: app =>
            {
                app.UseRateLimiter();
                app.MapGptOss().RequireRateLimiting("one");
            }
        );
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync(TestHost.Question("x"))).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.PostAsync(TestHost.Question("x"))).StatusCode);
        Assert.Single(host.Script.Asked);
    }

    [Fact]
    public async Task Calls_of_the_hosts_own_functions_are_hidden_and_those_of_the_request_are_passed_on()
    {
        var script = new ScriptedChatClient();
        IChatClient pipeline = script
            .AsBuilder()
            .ConfigureOptions(options =>
                options.Tools = [.. options.Tools ?? [], AIFunctionFactory.Create(() => "42", "secret")]
            )
            .UseFunctionInvocation()
            .Build();
        await using TestHost host = await TestHost.OverAsync(pipeline);
        JsonElement answer = await host.AskAsync("CALL secret {}");
        JsonElement choice = answer.GetProperty("choices")[0];
        Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
        Assert.Equal("The tool said: 42", choice.GetProperty("message").GetProperty("content").GetString());
        Assert.False(choice.GetProperty("message").TryGetProperty("tool_calls", out _));
        Assert.Equal(20, answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(2, script.Asked.Count);

        answer = await host.AskAsync("CALL open {}", ""","tools":[{"type":"function","function":{"name":"open"}}]""");
        choice = answer.GetProperty("choices")[0];
        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        Assert.Single(choice.GetProperty("message").GetProperty("tool_calls").EnumerateArray());
    }

    [Fact]
    public async Task It_listens_and_says_how_far_the_loading_is()
    {
        var loaded = new TaskCompletionSource<IChatClient>();
        IProgress<LoadProgress>? progress = null;
        await using TestHost host = await TestHost.StartAsync(builder =>
            builder.Services.AddGptOssServer(options =>
                options.Load = (_, told, _) =>
                {
                    progress = told;
                    return loaded.Task;
                }
            )
        );
        await TestHost.UntilAsync(() => progress is not null);
        progress!.Report(new LoadProgress("half", 0.5));
        using HttpResponseMessage health = await host.Client.GetAsync("/health", Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal("""{"status":"loading","progress":0.5}""", await health.Content.ReadAsStringAsync(Stop));
        using HttpResponseMessage early = await host.PostAsync(TestHost.Question("x"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
        Assert.Equal(2, early.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        Assert.Contains("model_loading", await early.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        loaded.SetResult(new ScriptedChatClient());
        await TestHost.UntilAsync(() => host.Client.GetAsync("/health", Stop).Result.IsSuccessStatusCode);
        await host.AskAsync("x");
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_ends_the_host()
    {
        await using TestHost host = await TestHost.StartAsync(builder =>
            builder.Services.AddGptOssServer(options =>
                options.Load = async (_, progress, stop) =>
                    await GptOssChatClient.LoadAsync("no-such-folder", progress: progress, cancellationToken: stop)
            )
        );
        await host.App.WaitForShutdownAsync(Stop).WaitAsync(TimeSpan.FromSeconds(10), Stop);
    }

    [Fact]
    public async Task The_health_check_says_what_health_says()
    {
        await using TestHost host = await TestHost.ScriptedAsync(build: builder =>
            builder.Services.AddHealthChecks().AddCheck<GptOssHealthCheck>("model")
        );
        HealthReport report = await host.App.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);
        Assert.Equal(HealthStatus.Healthy, report.Entries["model"].Status);
        Assert.Equal("gpt-oss-20b", report.Entries["model"].Description);
    }

    [Fact]
    public void A_host_that_forgot_the_services_is_told()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        WebApplication app = builder.Build();
        Assert.Contains("AddGptOssServer", Assert.Throws<InvalidOperationException>(() => app.MapGptOss()).Message);
    }

    [Fact]
    public void An_option_outside_its_range_is_named()
    {
        Assert.Contains("Effort should be low, medium or high", Refusal(options => options.Effort = "huge"));
        // As a variable that is not set gives it: it would be the key of everybody, or of nobody.
        Assert.Contains("ApiKeys should be a list of keys", Refusal(options => options.ApiKeys.Add("")));

        static string Refusal(Action<GptOssServerOptions> configure)
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Services.AddGptOssServer(configure);
            WebApplication app = builder.Build();
            return Assert.Throws<ArgumentException>(() => app.MapGptOss()).Message;
        }
    }

    [Fact]
    public async Task Names_and_aliases_of_the_model_are_listed_and_taken()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.Aliases.Add("my-model"));
        string list = await host.Client.GetStringAsync("/v1/models", Stop);
        JsonElement models = JsonElement.Parse(list);
        Assert.Equal(
            ["gpt-oss-20b", "my-model"],
            models.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString())
        );
        foreach (string name in (string[])["gpt-oss-20b", "openai/gpt-oss-20b", "gpt-oss:20b", "my-model"])
        {
            JsonElement answer = await host.AskAsync("x", $",\"model\":\"{name}\"");
            Assert.Equal(name, answer.GetProperty("model").GetString());
        }
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await host.PostAsync(TestHost.Question("x", ",\"model\":\"gpt-oss-120b\""))).StatusCode
        );
    }
}
