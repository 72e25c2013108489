using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests.Faults;

/// <summary>Every line of the fault tables, streamed and not, against a server over the tiny model.</summary>
[Promise(26)]
public sealed class FaultTableTests(TinyServer tiny)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("M-messages", 140)]
    [InlineData("A-http", 29)]
    [InlineData("B-json", 34)]
    [InlineData("C-parameters", 92)]
    [InlineData("D-messages", 64)]
    [InlineData("E-schemas", 25)]
    [InlineData("R-responses", 152)]
    public async Task Every_line_of_the_table_is_answered_as_it_says(string table, int count)
    {
        IReadOnlyList<FaultLine> lines = FaultLine.Table(table);
        Assert.Equal(count, lines.Count);
        var wrong = new List<string>();
        foreach (FaultLine line in lines)
        foreach (bool isStreamed in (bool[])(line.IsAskedTwice ? [false, true] : [false]))
        {
            if (await ProblemAsync(line, isStreamed) is { } problem)
                wrong.Add($"{(isStreamed ? "streamed: " : "")}{problem}\n    {line}");
            using HttpResponseMessage health = await tiny.Host.Client.GetAsync("/health", Stop);
            Assert.True(health.IsSuccessStatusCode, $"not healthy behind {line}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        JsonElement good = await tiny.Host.AskAsync("What is 345 + 678?", ",\"temperature\":0");
        Assert.Contains(
            "1023",
            good.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()
        );
    }

    /// <summary>What is wrong with the answer to a line; null for nothing.</summary>
    private async Task<string?> ProblemAsync(FaultLine line, bool isStreamed)
    {
        using var request = new HttpRequestMessage(new HttpMethod(line.Method), line.Path);
        if (line.Body(isStreamed) is { } bytes)
        {
            request.Content = new ByteArrayContent(bytes);
            if (line.Type.Length > 0)
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(line.Type);
        }
        foreach ((string name, string value) in line.Headers)
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content!.Headers.TryAddWithoutValidation(name, value);
        var watch = Stopwatch.StartNew();
        using HttpResponseMessage response = await tiny.Host.Client.SendAsync(request, Stop);
        string body = await response.Content.ReadAsStringAsync(Stop);
        TimeSpan took = watch.Elapsed;
        string shown = body.Length > 300 ? body[..300] : body;
        if ((int)response.StatusCode != line.Status)
            return $"{(int)response.StatusCode} and not {line.Status}: {shown}";
        if (line.Within is { } limit && took > limit)
            return $"took {took.TotalMilliseconds:0} ms and not {limit.TotalMilliseconds:0}";
        if (line.Header is { } header && !Headers(response).Contains(header))
            return $"lacks the header {header}";
        if (line.Status == 200)
            return isStreamed && !body.EndsWith(line.End, StringComparison.Ordinal) ? $"broke off: {shown}"
                : line.Method == "HEAD" && body.Length > 0 ? $"has a body: {shown}"
                : null;
        JsonElement told = JsonElement.Parse(body);
        return line.IsOfMessages ? WrongMessage(told, line) : Wrong(told.GetProperty("error"), line);
    }

    // Anthropic's errors have a type in the place of a code, and name places in their words alone.
    private static string? WrongMessage(JsonElement told, FaultLine line)
    {
        string[] keys = [.. told.EnumerateObject().Select(member => member.Name)];
        string type = told.GetProperty("error").GetProperty("type").GetString()!,
            message = told.GetProperty("error").GetProperty("message").GetString()!;
        return !keys.SequenceEqual(["type", "error", "request_id"]) ? $"has the keys {string.Join(", ", keys)}"
            : type != line.Code ? $"has the type {type}: {message}"
            : WrongWords(message, line);
    }

    private static string? Wrong(JsonElement error, FaultLine line)
    {
        string[] keys = [.. error.EnumerateObject().Select(member => member.Name)];
        string message = error.GetProperty("message").GetString()!;
        string? code = error.GetProperty("code").GetString(),
            param = error.GetProperty("param").GetString();
        return !keys.SequenceEqual(["message", "type", "param", "code"]) ? $"has the keys {string.Join(", ", keys)}"
            : code != line.Code ? $"has the code {code}: {message}"
            : line.Param is not null && param != line.Param ? $"has the param {param}: {message}"
            : WrongWords(message, line);
    }

    private static string? WrongWords(string message, FaultLine line) =>
        message.Length > 500 || message.Any(char.IsControl) ? $"says too much: {message}"
        : message.Contains("System.", StringComparison.Ordinal) ? $"names a type: {message}"
        : line.Says is { } says && !message.Contains(says, StringComparison.Ordinal) ? $"says: {message}"
        : null;

    private static IEnumerable<string> Headers(HttpResponseMessage response) =>
        response
            .Headers.Concat(response.Content.Headers)
            .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}");
}
