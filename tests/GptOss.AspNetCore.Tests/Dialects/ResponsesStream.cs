using System.Text.Json;
using static GptOss.AspNetCore.Tests.Dialects.NamedFrames;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>
/// A stream of Responses that was read to its end, checked against itself: each piece of text must be found again in
/// the event that ends its item, and each of these in the whole response.
/// </summary>
internal sealed class ResponsesStream
{
    private static readonly string[] Ends = ["response.completed", "response.incomplete", "response.failed"];

    private readonly List<JsonElement> _done = [];
    private readonly Dictionary<string, string> _texts = [];

    private ResponsesStream(List<JsonElement> events) => Events = events;

    /// <summary>All events, without <c>[DONE]</c>.</summary>
    public List<JsonElement> Events { get; }

    /// <summary>The response that the last event holds.</summary>
    public JsonElement Response => Events[^1].GetProperty("response");

    /// <summary>The types of all events, equal neighbours once.</summary>
    public IEnumerable<string> Types => NamedFrames.Types(Events);

    /// <summary>The question streamed, and its stream read and checked.</summary>
    public static async Task<ResponsesStream> AskAsync(TestHost host, string body) =>
        Read(await NamedFrames.AskAsync(host, body, "/v1/responses"));

    /// <summary>Reads and checks the body of a stream.</summary>
    public static ResponsesStream Read(string body)
    {
        var stream = new ResponsesStream(NamedFrames.Of(body));
        Assert.Equal(Type(stream.Events[^1]) != "response.failed", NamedFrames.IsDone(body));
        stream.Check();
        return stream;
    }

    private void Check()
    {
        Assert.Equal(
            Enumerable.Range(0, Events.Count),
            Events.Select(data => data.GetProperty("sequence_number").GetInt32())
        );
        Assert.Equal(["response.created", "response.in_progress"], Events.Take(2).Select(Type));
        Assert.Contains(Type(Events[^1]), Ends);
        Assert.Equal(1, Events.Count(data => Ends.Contains(Type(data))));
        JsonElement? open = null;
        foreach (JsonElement data in Events)
            Check(data, ref open);
        JsonElement[] output = [.. Response.GetProperty("output").EnumerateArray()];
        if (Type(Events[^1]) != "response.failed")
        {
            Assert.Null(open);
            Assert.Equal(_done.Count, output.Length);
        }
        for (int i = 0; i < _done.Count; i++)
            Assert.Equal(_done[i].GetRawText(), output[i].GetRawText());
        Assert.All(Events.Where(data => data.TryGetProperty("response", out _)), data =>
            Assert.Equal(Text(Response, "id"), Text(data.GetProperty("response"), "id"))
        );
    }

    private void Check(JsonElement data, ref JsonElement? open)
    {
        string type = Type(data);
        if (data.TryGetProperty("response", out JsonElement response))
        {
            Assert.True(response.GetProperty("output").GetArrayLength() >= _done.Count);
            return;
        }
        if (type == "error")
            return;
        Assert.Equal(_done.Count, data.GetProperty("output_index").GetInt32());
        if (type == "response.output_item.added")
        {
            Assert.Null(open);
            open = data.GetProperty("item");
            Assert.Equal("in_progress", Text(open.Value, "status"));
            Assert.DoesNotContain(open.Value.EnumerateObject(), member => IsFilledList(member.Value));
            _texts.Clear();
            return;
        }
        string id = Text(open!.Value, "id");
        if (type == "response.output_item.done")
        {
            JsonElement item = data.GetProperty("item");
            Assert.Equal(id, Text(item, "id"));
            Assert.Equal(string.Concat(_texts.Values), Words(item));
            _done.Add(item);
            open = null;
            return;
        }
        Assert.Equal(id, Text(data, "item_id"));
        if (type.EndsWith(".delta", StringComparison.Ordinal))
            _texts[type[..^".delta".Length]] = _texts.GetValueOrDefault(type[..^".delta".Length]) + Text(data, "delta");
        else if (data.TryGetProperty("part", out JsonElement part))
        {
            bool isEnd = type.EndsWith(".done", StringComparison.Ordinal);
            Assert.Equal(isEnd ? string.Concat(_texts.Values) : "", Text(part, "text"));
        }
        else
        {
            Assert.EndsWith(".done", type, StringComparison.Ordinal);
            string whole =
                data.TryGetProperty("text", out JsonElement text) || data.TryGetProperty("arguments", out text)
                    ? text.GetString()!
                    : Text(data, "input");
            Assert.Equal(_texts.GetValueOrDefault(type[..^".done".Length]) ?? "", whole);
        }
    }

    private static bool IsFilledList(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0;

    /// <summary>The text of an item, wherever its kind has it.</summary>
    public static string Words(JsonElement item) =>
        Type(item) switch
        {
            "function_call" => Text(item, "arguments"),
            "custom_tool_call" => Text(item, "input"),
            "reasoning" => Parts(item, "summary") + Parts(item, "content"),
            _ => Parts(item, "content"),
        };

    private static string Parts(JsonElement item, string name) =>
        item.TryGetProperty(name, out JsonElement parts)
            ? string.Concat(parts.EnumerateArray().Select(part => Text(part, "text")))
            : "";
}
