using System.Net;
using System.Text.Json;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>A stream whose events have names, as those of Responses and of Messages, cut into its events.</summary>
internal static class NamedFrames
{
    private const string Done = "data: [DONE]";

    /// <summary>Asks for a stream, and reads it to its end.</summary>
    public static async Task<string> AskAsync(TestHost host, string body, string path)
    {
        using HttpResponseMessage response = await host.PostAsync(body, path);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        return text;
    }

    /// <summary>The data of all events, without <c>[DONE]</c>; each has the name of its type.</summary>
    public static List<JsonElement> Of(string body)
    {
        Assert.EndsWith("\n\n", body, StringComparison.Ordinal);
        var events = new List<JsonElement>();
        foreach (string frame in body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            if (frame == Done)
                continue;
            string[] lines = frame.Split('\n');
            Assert.Equal(2, lines.Length);
            Assert.StartsWith("data: ", lines[1], StringComparison.Ordinal);
            JsonElement data = JsonElement.Parse(lines[1]["data: ".Length..]);
            Assert.Equal($"event: {Type(data)}", lines[0]);
            events.Add(data);
        }
        return events;
    }

    public static bool IsDone(string body) => body.EndsWith($"{Done}\n\n", StringComparison.Ordinal);

    public static string Type(JsonElement item) => Text(item, "type");

    public static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    /// <summary>The types of all events, equal neighbours once.</summary>
    public static IEnumerable<string> Types(List<JsonElement> events) =>
        events.Select(Type).Where((type, i) => i == 0 || type != Type(events[i - 1]));
}
