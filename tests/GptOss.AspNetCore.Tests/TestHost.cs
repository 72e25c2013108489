using System.Net;
using System.Text;
using System.Text.Json;
using GptOss.ScriptedServer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GptOss.AspNetCore.Tests;

/// <summary>A server on a free port of this machine, with a client that talks to it.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private TestHost(WebApplication app)
    {
        App = app;
        Address = new Uri(app.Urls.Single());
        Client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(100) };
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <summary>The script that answers, where one does.</summary>
    public ScriptedChatClient Script => App.Services.GetRequiredService<ScriptedChatClient>();

    /// <summary>A server over the script.</summary>
    public static Task<TestHost> ScriptedAsync(
        Action<GptOssServerOptions>? configure = null,
        Action<WebApplicationBuilder>? build = null,
        Action<WebApplication>? map = null
    ) =>
        StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<ScriptedChatClient>();
                builder.Services.AddSingleton<IChatClient>(services =>
                    services.GetRequiredService<ScriptedChatClient>()
                );
                builder.Services.AddGptOssServer(configure);
                build?.Invoke(builder);
            },
            map
        );

    /// <summary>A server over a client of GptOss, which the caller disposes.</summary>
    public static Task<TestHost> OverAsync(IChatClient client, Action<GptOssServerOptions>? configure = null) =>
        StartAsync(builder =>
        {
            builder.Services.AddSingleton(client);
            builder.Services.AddGptOssServer(configure);
        });

    /// <summary>A server as the builder says.</summary>
    public static async Task<TestHost> StartAsync(
        Action<WebApplicationBuilder> build,
        Action<WebApplication>? map = null
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        build(builder);
        WebApplication app = builder.Build();
        if (map is null)
            app.MapGptOss();
        else
            map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestHost(app);
    }

    /// <summary>The body of a question to the script, with more members where they are given.</summary>
    public static string Question(string text, string more = "") =>
        $$"""{"messages":[{"role":"user","content":{{JsonSerializer.Serialize(text)}}}]{{more}}}""";

    public Task<HttpResponseMessage> PostAsync(string body, string path = "/v1/chat/completions") =>
        PostAsync(body, HttpCompletionOption.ResponseContentRead, path);

    public async Task<HttpResponseMessage> PostAsync(
        string body,
        HttpCompletionOption completion,
        string path = "/v1/chat/completions"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await Client.SendAsync(request, completion, TestContext.Current.CancellationToken);
    }

    /// <summary>The answer to a question that is answered whole.</summary>
    public async Task<JsonElement> AskAsync(string text, string more = "")
    {
        using HttpResponseMessage response = await PostAsync(Question(text, more));
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    /// <summary>The lines of the data of a stream, <c>[DONE]</c> among them.</summary>
    public async Task<List<string>> StreamAsync(string text, string more = "")
    {
        using HttpResponseMessage response = await PostAsync(Question(text, ",\"stream\":true" + more));
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        return DataOf(body);
    }

    /// <summary>The lines of the data of a stream that was read to its end.</summary>
    public static List<string> DataOf(string body)
    {
        Assert.EndsWith("\n\n", body, StringComparison.Ordinal);
        return
        [
            .. body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
                .Where(frame => !frame.StartsWith(": ", StringComparison.Ordinal))
                .Select(frame =>
                {
                    Assert.StartsWith("data: ", frame, StringComparison.Ordinal);
                    return frame["data: ".Length..];
                }),
        ];
    }

    /// <summary>Waits until something holds, for two seconds at most.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        for (int i = 0; i < 200 && !holds(); i++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(holds());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.DisposeAsync();
    }
}
