using System.Text;
using System.Text.Json;
using static GptOss.AspNetCore.Tests.Dialects.NamedFrames;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>
/// A stream of Messages that was read to its end and checked: its events stand in the order that clients expect, and
/// <see cref="Message"/> is what a client puts together of them.
/// </summary>
internal sealed class MessagesStream
{
    private readonly List<string> _blocks = [];

    private MessagesStream(List<JsonElement> events) => Events = events;

    /// <summary>All events.</summary>
    public List<JsonElement> Events { get; }

    /// <summary>The types of all events, equal neighbours once.</summary>
    public IEnumerable<string> Types => NamedFrames.Types(Events);

    /// <summary>The answer as a client puts it together: the beginning, the blocks, the end.</summary>
    public JsonElement Message { get; private set; }

    /// <summary>Whether the stream ended with a fault.</summary>
    public bool IsBroken => Type(Events[^1]) == "error";

    /// <summary>The question streamed, and its stream read and checked.</summary>
    public static async Task<MessagesStream> AskAsync(TestHost host, string body) =>
        Read(await NamedFrames.AskAsync(host, body, "/v1/messages"));

    /// <summary>Reads and checks the body of a stream.</summary>
    public static MessagesStream Read(string body)
    {
        var stream = new MessagesStream(NamedFrames.Of(body));
        Assert.False(NamedFrames.IsDone(body));
        stream.Check();
        return stream;
    }

    private void Check()
    {
        Assert.Equal(["message_start", "ping"], Events.Take(2).Select(Type));
        JsonElement start = Events[0].GetProperty("message"),
            end = default;
        Assert.Equal(0, start.GetProperty("content").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, start.GetProperty("stop_reason").ValueKind);
        var open = new OpenBlock();
        foreach (JsonElement data in Events.Skip(2).Where(data => Type(data) != "ping"))
        {
            switch (Type(data))
            {
                case "content_block_start":
                    Assert.Equal(_blocks.Count, Index(data));
                    open.Begin(data.GetProperty("content_block"));
                    break;
                case "content_block_delta":
                    Assert.Equal(_blocks.Count, Index(data));
                    open.Grow(data.GetProperty("delta"));
                    break;
                case "content_block_stop":
                    Assert.Equal(_blocks.Count, Index(data));
                    _blocks.Add(open.End());
                    break;
                case "message_delta"
                    when data.GetProperty("delta").GetProperty("stop_reason").ValueKind == JsonValueKind.Null:
                    break;
                case "message_delta":
                    Assert.Equal(JsonValueKind.Undefined, end.ValueKind);
                    Assert.False(open.IsOpen);
                    end = data;
                    break;
                case "message_stop":
                    Assert.NotEqual(JsonValueKind.Undefined, end.ValueKind);
                    Assert.Equal(Events[^1].GetRawText(), data.GetRawText());
                    break;
                case var other:
                    Assert.Equal("error", other);
                    Assert.Equal(Events[^1].GetRawText(), data.GetRawText());
                    return;
            }
        }
        Assert.Equal("message_stop", Type(Events[^1]));
        JsonElement delta = end.GetProperty("delta");
        Message = JsonElement.Parse(
            $$"""
            {"id":{{start.GetProperty("id").GetRawText()}},"type":"message","role":"assistant","model":{{start
                .GetProperty("model")
                .GetRawText()}},"content":[{{string.Join(',', _blocks)}}],"stop_reason":{{delta
                .GetProperty("stop_reason")
                .GetRawText()}},"stop_sequence":{{delta.GetProperty("stop_sequence").GetRawText()}},"usage":{{end
                .GetProperty("usage")
                .GetRawText()}}}
            """
        );
    }

    private static int Index(JsonElement data) => data.GetProperty("index").GetInt32();

    /// <summary>A block as a client puts it together.</summary>
    private sealed class OpenBlock
    {
        private readonly StringBuilder _text = new();
        private JsonElement _start;
        private string? _signature;

        public bool IsOpen { get; private set; }

        public void Begin(JsonElement block)
        {
            Assert.False(IsOpen);
            (IsOpen, _start, _signature) = (true, block, null);
            _text.Clear();
            switch (Type(block))
            {
                case "thinking":
                    Assert.Equal(("", ""), (Text(block, "thinking"), Text(block, "signature")));
                    break;
                case "text":
                    Assert.Equal("", Text(block, "text"));
                    break;
                default:
                    Assert.Equal("{}", block.GetProperty("input").GetRawText());
                    break;
            }
        }

        public void Grow(JsonElement delta)
        {
            Assert.True(IsOpen);
            Assert.Null(_signature);
            switch ((Type(_start), Type(delta)))
            {
                case ("thinking", "signature_delta"):
                    _signature = Text(delta, "signature");
                    break;
                case ("thinking", "thinking_delta"):
                    _text.Append(Text(delta, "thinking"));
                    break;
                case ("text", "text_delta"):
                    _text.Append(Text(delta, "text"));
                    break;
                case var kinds:
                    Assert.Equal(("tool_use", "input_json_delta"), kinds);
                    _text.Append(Text(delta, "partial_json"));
                    break;
            }
        }

        public string End()
        {
            Assert.True(IsOpen);
            IsOpen = false;
            return Type(_start) switch
            {
                "thinking" => $$"""{"type":"thinking","thinking":{{Spelled()}},"signature":"{{_signature}}"}""",
                "text" => $$"""{"type":"text","text":{{Spelled()}}}""",
                _ => _start.GetRawText().Replace("\"input\":{}", $"\"input\":{Input()}", StringComparison.Ordinal),
            };
        }

        // As the server spells it: letters of every language as they are.
        private string Spelled() => JsonSerializer.Serialize(_text.ToString(), Relaxed);

        private string Input() => _text.Length > 0 ? _text.ToString() : "{}";
    }

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
