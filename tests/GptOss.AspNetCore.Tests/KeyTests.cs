using System.Net;
using GptOss.AspNetCore.Http;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Tests;

/// <summary>Who is let in: by key, by the page that asks.</summary>
public sealed class KeyTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Trait("fault", "F21")]
    [Theory]
    [InlineData("Authorization", "Bearer secret", 200)]
    [InlineData("Authorization", "bearer secret", 200)]
    [InlineData("x-api-key", "other", 200)]
    [InlineData("Authorization", "Bearer wrong", 401)]
    [InlineData("Authorization", "Bearer ", 401)]
    [InlineData("Authorization", "Bearer secret, Bearer secret", 401)]
    [InlineData("Authorization", "Basic secret", 401)]
    [InlineData("x-api-key", "", 401)]
    public async Task A_request_needs_one_of_the_keys(string header, string value, int status)
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            options.ApiKeys.Add("secret");
            options.ApiKeys.Add("other");
        });
        Assert.Equal(status, (int)await StatusAsync(host, "/v1/models", header, value));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, "/health", "x-none", "x"));
    }

    /// <summary>A key beyond all lengths is not hashed; what stands for it is nobody's.</summary>
    [Fact]
    public void A_key_that_is_too_long_is_none_whatever_the_keys_are()
    {
        var keys = new ApiKeys(["secret", ""], path: null, TimeProvider.System);
        var request = new DefaultHttpContext().Request;
        foreach (
            (string key, bool isAdmitted) in (ReadOnlySpan<(string, bool)>)
                [("secret", true), ("", false), (new string('a', 4_096), false), (new string('a', 4_097), false)]
        )
        {
            request.Headers["x-api-key"] = key;
            Assert.Equal(isAdmitted, keys.Admits(request, out _));
        }
    }

    [Fact]
    public async Task A_refused_request_says_so_and_names_no_key()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.ApiKeys.Add("secret"));
        using HttpResponseMessage response = await host.PostAsync(TestHost.Question("hi"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"code\":\"invalid_api_key\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        Assert.Empty(host.Script.Asked);
    }

    [Fact]
    public async Task Keys_of_a_file_are_read_again_when_it_changes()
    {
        await File.WriteAllTextAsync(_file, "first\n\n", TestContext.Current.CancellationToken);
        await using TestHost host = await TestHost.ScriptedAsync(options => options.ApiKeyFile = _file);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, "/v1/models", "x-api-key", "first"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, "/v1/models", "x-api-key", "second one"));
        await File.WriteAllTextAsync(_file, "second one\n", TestContext.Current.CancellationToken);
        await Task.Delay(1100, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(host, "/v1/models", "x-api-key", "first"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, "/v1/models", "x-api-key", "second one"));
    }

    [Fact]
    public async Task Each_key_has_a_scope_of_its_own_for_what_was_computed()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            options.ApiKeys.Add("a");
            options.ApiKeys.Add("b");
        });
        foreach (string key in (string[])["a", "b", "a"])
        {
            host.Client.DefaultRequestHeaders.Remove("x-api-key");
            host.Client.DefaultRequestHeaders.Add("x-api-key", key);
            await host.AskAsync("hi");
        }
        string?[] scopes = [.. host.Script.Asked.Select(asked => Own(asked.Options!).CacheScope)];
        Assert.Equal(scopes[0], scopes[2]);
        Assert.NotEqual(scopes[0], scopes[1]);
        Assert.All(scopes, scope => Assert.Matches("^[0-9a-f]{64}$", scope));
    }

    [Fact]
    public async Task The_host_may_say_the_scope()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.CacheScope = http => http.Request.Headers["x-tenant"]
        );
        await host.AskAsync("hi");
        host.Client.DefaultRequestHeaders.Add("x-tenant", "t");
        await host.AskAsync("hi");
        Assert.Equal([null, "t"], host.Script.Asked.Select(asked => Own(asked.Options!).CacheScope));
    }

    [Trait("fault", "F20")]
    [Trait("fault", "F111")]
    [Theory]
    [InlineData(null, 200)]
    [InlineData("http://evil.example", 403)]
    [InlineData("https://good.example", 200)]
    [InlineData("https://GOOD.example", 200)]
    [InlineData("http://good.example", 403)]
    [InlineData("own", 200)]
    [InlineData("http://127.0.0.1:1", 403)]
    [InlineData("null", 403)] // a sandboxed frame
    [InlineData("file://", 403)] // a page on the disk
    [InlineData("chrome-extension://abcdefgh", 403)]
    [InlineData("https://good.example https://good.example", 403)]
    [InlineData("https://good.example.evil.example", 403)]
    public async Task A_page_of_another_origin_is_kept_out(string? origin, int status)
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.Origins.Add("https://good.example")
        );
        string value = origin == "own" ? host.Address.GetLeftPart(UriPartial.Authority) : origin ?? "";
        string name = origin is null ? "x-none" : "Origin";
        Assert.Equal(status, (int)await StatusAsync(host, "/v1/models", name, value));
    }

    public void Dispose() => File.Delete(_file);

    private static GptOssRequestOptions Own(Microsoft.Extensions.AI.ChatOptions options) =>
        (GptOssRequestOptions)options.RawRepresentationFactory!(null!)!;

    private static async Task<HttpStatusCode> StatusAsync(TestHost host, string path, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        Assert.True(request.Headers.TryAddWithoutValidation(header, value));
        using HttpResponseMessage response = await host.Client.SendAsync(
            request,
            TestContext.Current.CancellationToken
        );
        return response.StatusCode;
    }
}
