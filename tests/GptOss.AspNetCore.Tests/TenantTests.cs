using System.Net;
using System.Text;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests;

/// <summary>What the holder of one key learns of another's requests: nothing, neither by words nor by time.</summary>
public sealed class TenantTests(TinyServer tiny)
{
    // The model is shared with other tests, and what it keeps belongs to a key: each test has keys of its own.
    private readonly string _one = $"{Guid.NewGuid():n}";
    private readonly string _other = $"{Guid.NewGuid():n}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // What is not cached has to be read: a prompt that another key has had read takes the time of one that nobody has.
    [Trait("fault", "F103")]
    [Fact]
    public async Task A_prompt_of_another_key_is_read_anew()
    {
        await using TestHost host = await HostAsync();
        string body = TestHost.Question(string.Concat(Enumerable.Repeat("one two three ", 100)), ",\"max_tokens\":2");
        Assert.Equal(0, await CachedAsync(host, _one, body));
        Assert.InRange(await CachedAsync(host, _one, body), 128, 4096);
        Assert.Equal(0, await CachedAsync(host, _other, body));
        Assert.InRange(await CachedAsync(host, _other, body), 128, 4096);
    }

    [Fact]
    public async Task A_stored_response_is_its_own_keys_alone()
    {
        await using TestHost host = await HostAsync();
        using HttpResponseMessage made = await SendAsync(
            host,
            _one,
            HttpMethod.Post,
            "/v1/responses",
            """{"input":"What is 345 + 678?","max_output_tokens":8}"""
        );
        string id = JsonElement.Parse(await made.Content.ReadAsStringAsync(Stop)).GetProperty("id").GetString()!;
        string path = $"/v1/responses/{id}",
            reference = $$"""[{"type":"item_reference","id":"{{id.Replace("resp_", "rs_")}}"}]""";
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(host, _other, HttpMethod.Get, path));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(host, _other, HttpMethod.Get, path + "/input_items"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(host, _other, HttpMethod.Delete, path));
        foreach (string key in (string[])[_other, _one])
        foreach (
            string body in (string[])
                [
                    $$"""{"input":"And then?","previous_response_id":"{{id}}","max_output_tokens":2}""",
                    $$"""{"input":{{reference}},"max_output_tokens":2}""",
                ]
        )
            Assert.Equal(
                key == _one ? HttpStatusCode.OK : HttpStatusCode.BadRequest,
                await StatusAsync(host, key, HttpMethod.Post, "/v1/responses", body)
            );
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, _one, HttpMethod.Get, path));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, _one, HttpMethod.Delete, path));
    }

    private async Task<TestHost> HostAsync() => await TestHost.OverAsync(tiny.Client, options =>
        {
            options.ApiKeys.Add(_one);
            options.ApiKeys.Add(_other);
        });

    private static async Task<int> CachedAsync(TestHost host, string key, string body)
    {
        using HttpResponseMessage response = await SendAsync(host, key, HttpMethod.Post, "/v1/chat/completions", body);
        JsonElement answer = JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop));
        return answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    private static async Task<HttpStatusCode> StatusAsync(
        TestHost host,
        string key,
        HttpMethod method,
        string path,
        string? body = null
    )
    {
        using HttpResponseMessage response = await SendAsync(host, key, method, path, body);
        return response.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestHost host,
        string key,
        HttpMethod method,
        string path,
        string? body
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("x-api-key", key);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await host.Client.SendAsync(request, Stop);
    }
}
