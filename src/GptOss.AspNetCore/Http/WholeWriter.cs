using System.Buffers;
using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>
/// Sends an answer as one object of JSON, before which a line's end now and then keeps the connection alive.
/// </summary>
internal sealed class WholeWriter : Delivery
{
    private const string Json = "application/json; charset=utf-8";

    private readonly ReplyFold _fold;
    private readonly ReplyWriter _writer;
    private readonly TimeSpan _patience;

    /// <param name="http">The request that is answered.</param>
    /// <param name="options">The server's limits of time.</param>
    /// <param name="visit">Measures the time since the request came.</param>
    /// <param name="fold">Puts the dialect's frames together.</param>
    /// <param name="writer">Makes the dialect's writer, which writes into the fold.</param>
    public WholeWriter(
        HttpContext http,
        GptOssServerOptions options,
        Visit visit,
        ReplyFold fold,
        Func<IFrames, ReplyWriter> writer
    )
        : base(http, options, visit)
    {
        _patience = options.WholePatience;
        _fold = fold;
        _writer = writer(fold);
        _writer.Begin();
    }

    protected override TimeSpan Patience => _patience;

    public override void Add(ReplyEvent happened) => _writer.Add(happened);

    public override ValueTask SendAsync() => ValueTask.CompletedTask;

    public override ValueTask ProgressAsync(Beat beat) => ValueTask.CompletedTask;

    public override ValueTask BeatAsync(Beat beat)
    {
        if (!HasBegun)
            Begin(Json);
        Http.Response.BodyWriter.Write("\n"u8);
        return FlushAsync();
    }

    public override ValueTask EndAsync()
    {
        byte[] whole = _fold.ToJson();
        if (!HasBegun)
        {
            Begin(Json);
            Http.Response.ContentLength = whole.Length;
        }
        Http.Response.BodyWriter.Write(whole);
        return FlushAsync();
    }

    // There is no place for an error behind the status 200: what breaks off cannot be taken for an answer.
    public override ValueTask FailAsync(Fault fault)
    {
        Http.Abort();
        return ValueTask.CompletedTask;
    }
}
