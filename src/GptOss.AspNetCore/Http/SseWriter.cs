using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>Sends an answer as server-sent events, each as soon as it is there.</summary>
internal sealed class SseWriter : Delivery, IFrames, IDisposable
{
    private static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ReplyWriter _writer;
    private readonly Utf8JsonWriter _json;
    private readonly TimeSpan _patience;

    /// <param name="http">The request that is answered.</param>
    /// <param name="options">The server's limits of time.</param>
    /// <param name="visit">Measures the time since the request came.</param>
    /// <param name="writer">Makes the dialect's writer, which writes here.</param>
    public SseWriter(HttpContext http, GptOssServerOptions options, Visit visit, Func<IFrames, ReplyWriter> writer)
        : base(http, options, visit)
    {
        _patience = options.StreamPatience;
        _json = new Utf8JsonWriter(Stream.Null, Written);
        _writer = writer(this);
    }

    protected override TimeSpan Patience => _patience;

    private IBufferWriter<byte> Output => Http.Response.BodyWriter;

    public override void Add(ReplyEvent happened)
    {
        Open();
        _writer.Add(happened);
    }

    public override ValueTask SendAsync() => FlushAsync();

    public override ValueTask ProgressAsync(Beat beat)
    {
        _writer.Progress(beat);
        return FlushAsync();
    }

    public override ValueTask BeatAsync(Beat beat)
    {
        if (HasBegun)
            _writer.Beat(beat);
        Open();
        return FlushAsync();
    }

    public override ValueTask EndAsync() => FlushAsync();

    public override ValueTask FailAsync(Fault fault)
    {
        _writer.Fail(fault);
        return FlushAsync();
    }

    public void Dispose() => _json.Dispose();

    void IFrames.Send<T>(string? name, T data, JsonTypeInfo<T> type)
    {
        if (name is not null)
            Line("event: ", name);
        Output.Write("data: "u8);
        _json.Reset(Output);
        JsonSerializer.Serialize(_json, data, type);
        _json.Flush();
        Output.Write("\n\n"u8);
    }

    void IFrames.SendText(string data)
    {
        Line("data: ", data);
        Output.Write("\n"u8);
    }

    void IFrames.Comment(string text)
    {
        Line(": ", text);
        Output.Write("\n"u8);
    }

    private void Open()
    {
        if (HasBegun)
            return;
        Begin("text/event-stream; charset=utf-8");
        _writer.Begin();
    }

    private void Line(string field, string text)
    {
        Encoding.UTF8.GetBytes(field, Output);
        Encoding.UTF8.GetBytes(text, Output);
        Output.Write("\n"u8);
    }
}
