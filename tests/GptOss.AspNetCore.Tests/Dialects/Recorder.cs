using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Requests;

namespace GptOss.AspNetCore.Tests.Dialects;

/// <summary>Writes frames as a stream has them, and a writer of Messages that writes here.</summary>
internal sealed class Recorder : IFrames
{
    public string Text { get; private set; } = "";

    public void Send<T>(string? name, T data, JsonTypeInfo<T> type) =>
        Text += $"event: {name}\ndata: {JsonSerializer.Serialize(data, type)}\n\n";

    public void SendText(string data) => Assert.Fail(data);

    public void Comment(string text) => Assert.Fail(text);

    public static MessagesWriter NewWriter(IFrames frames) =>
        new(
            new MessagesAsk
            {
                Messages = [],
                Options = new(),
                Own = new(),
                Model = "m",
                Effort = "medium",
                Tools = new(),
            },
            new ReplyHead(new string('0', 32), 0, "f", null),
            frames
        );
}
