using System.Net;
using Microsoft.AspNetCore.Builder;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The files of the page, as any client of HTTP gets them.</summary>
public sealed class PageFileTests
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/page/app.js", "text/javascript")]
    [InlineData("/page/style.css", "text/css")]
    public async Task A_file_comes_with_a_policy_and_a_tag_and_needs_no_key(string path, string type)
    {
        await using TestHost host = await StartAsync();
        using HttpResponseMessage whole = await host.Client.GetAsync(path, Stop);
        Assert.Equal((HttpStatusCode.OK, type), (whole.StatusCode, whole.Content.Headers.ContentType!.MediaType));
        Assert.Equal(Policy, whole.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", whole.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", whole.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("same-origin", whole.Headers.GetValues("Cross-Origin-Resource-Policy").Single());

        using HttpResponseMessage again = await SendAsync(host, HttpMethod.Get, path, whole.Headers.ETag!.ToString());
        Assert.Equal((HttpStatusCode.NotModified, 0), (again.StatusCode, (await BytesAsync(again)).Length));
        using HttpResponseMessage other = await SendAsync(host, HttpMethod.Get, path, "\"another\"");
        Assert.Equal(await BytesAsync(whole), await BytesAsync(other));
        using HttpResponseMessage head = await SendAsync(host, HttpMethod.Head, path);
        Assert.Equal(
            (whole.Content.Headers.ContentLength, 0),
            (head.Content.Headers.ContentLength, (await BytesAsync(head)).Length)
        );
        using HttpResponseMessage post = await SendAsync(host, HttpMethod.Post, path);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Fact]
    public async Task The_sandbox_has_an_origin_of_its_own_and_no_network()
    {
        await using TestHost host = await StartAsync();
        using HttpResponseMessage response = await host.Client.GetAsync("/page/sandbox.html", Stop);
        Assert.StartsWith(
            "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'",
            response.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void All_files_together_have_at_most_80_kilobytes()
    {
        string[] names =
        [
            .. typeof(GptOssPage)
                .Assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith("page/", StringComparison.Ordinal)),
        ];
        Assert.Contains("page/index.html", names);
        long bytes = names.Sum(name => typeof(GptOssPage).Assembly.GetManifestResourceStream(name)!.Length);
        Assert.InRange(bytes, 1, 80 * 1024);
    }

    [Fact]
    public async Task It_lives_below_a_prefix_and_without_it_the_start_is_the_hosts()
    {
        await using TestHost host = await TestHost.ScriptedAsync(map: app =>
        {
            app.MapGptOss("/ai");
            app.MapGptOssPage("/ai");
            app.MapGet("/", () => "mine");
        });
        Assert.Equal("mine", await host.Client.GetStringAsync("/", Stop));
        using HttpResponseMessage page = await host.Client.GetAsync("/ai", Stop);
        // Redirected, so that what the page names relatively lies below the prefix.
        Assert.Equal("/ai/", page.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Contains("page/app.js", await page.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Contains("threadView", await host.Client.GetStringAsync("/ai/page/app.js", Stop));
    }

    [Fact]
    public void A_host_that_forgot_the_services_is_told()
    {
        WebApplication app = WebApplication.CreateSlimBuilder().Build();
        Assert.Contains(
            "AddGptOssServer before MapGptOssPage",
            Assert.Throws<InvalidOperationException>(() => app.MapGptOssPage()).Message
        );
    }

    private static Task<TestHost> StartAsync() =>
        TestHost.ScriptedAsync(options => options.ApiKeys.Add("sesame"), map: Chromium.MapAll);

    private static async Task<HttpResponseMessage> SendAsync(
        TestHost host,
        HttpMethod method,
        string path,
        string? tag = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        return await host.Client.SendAsync(request, Stop);
    }

    private static Task<byte[]> BytesAsync(HttpResponseMessage response) => response.Content.ReadAsByteArrayAsync(Stop);
}
