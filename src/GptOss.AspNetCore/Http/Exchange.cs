using GptOss.AspNetCore.Answers;
using GptOss.AspNetCore.Faults;
using GptOss.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Http;

/// <summary>
/// One request of a dialect to the model: read, admitted, answered event by event, and ended at once when its client
/// goes.
/// </summary>
/// <param name="server">What all requests share.</param>
/// <param name="dialect">How the request is read, and its answer written.</param>
/// <param name="http">The request that is answered.</param>
/// <param name="visit">What the log is told of it.</param>
internal sealed class Exchange(ServerCore server, Dialect dialect, HttpContext http, Visit visit)
{
    private Delivery? _delivery;
    private Ask? _ask;
    private IDisposable? _turn; // until the prompt of a large body is tokens

    /// <summary>Answers the request; what goes wrong is told to the client.</summary>
    public async Task RunAsync()
    {
        using var limit = new CancellationTokenSource(server.Options.MaxTime);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(
            http.RequestAborted,
            server.Drain.Ending,
            limit.Token
        );
        try
        {
            if (server.Model is not { } model)
                throw new FaultException(KnownFaults.Loading);
            if (server.IsBusy(model))
            {
                // Before anything is read, so that the refused take little time from the others.
                await Task.Delay(server.Refusals.Next(), server.Time, stop.Token).ConfigureAwait(false);
                throw new FaultException(KnownFaults.Overloaded(server.Times.RetryAfter));
            }
            _ask = await ReadAsync(model).ConfigureAwait(false);
            if (!server.Drain.TryEnter())
                throw new FaultException(KnownFaults.ShuttingDown);
            try
            {
                await AnswerAsync(model, _ask, stop).ConfigureAwait(false);
            }
            finally
            {
                server.Drain.Leave();
            }
        }
        catch (Exception error)
        {
            await TellAsync(error, limit.IsCancellationRequested).ConfigureAwait(false);
        }
        finally
        {
            _turn?.Dispose();
            (_delivery as IDisposable)?.Dispose();
        }
    }

    private async Task<Ask> ReadAsync(ServedModel model)
    {
        using RequestBody body = await server.Bodies.ReadAsync(http).ConfigureAwait(false);
        Ask ask = dialect.Read(body.Root, server.ContextOf(model, visit.Scope));
        _turn = body.TakeTurn();
        (visit.Model, visit.Dialect) = (ask.Model, dialect.Name);
        if (ask.Ignored.Count > 0)
            http.Response.Headers["x-gptoss-ignored"] = IgnoredHeader.Of(ask.Ignored);
        return ask;
    }

    private async Task AnswerAsync(ServedModel model, Ask ask, CancellationTokenSource stop)
    {
        using IDisposable waiting = server.Meter.Wait();
        var progress = new PromptTracker(() => visit.Elapsed, waiting.Dispose);
        // Whoever has not begun when the server ends will not begin any more.
        using CancellationTokenRegistration draining = server.Drain.Beginning.Register(() =>
        {
            if (visit.First is null && progress.Began is null)
                stop.Cancel();
        });
        // A client of GptOss has a queue of its own, in which a prompt is tokens.
        if (model.Own is null)
            _turn?.Dispose();
        using IDisposable? place = await server.EnterAsync(model, stop.Token).ConfigureAwait(false);
        TimeSpan started = visit.Elapsed;
        // A client of GptOss has a queue of its own, and says by its progress when the prompt is begun.
        if (model.Own is null)
            waiting.Dispose();
        var feed = new UpdateFeed(
            model
                .Client.GetStreamingResponseAsync(ask.Messages, Options(ask, progress), stop.Token)
                .GetAsyncEnumerator(stop.Token),
            progress
        );
        try
        {
            await DeliverAsync(model, ask, feed, progress, started).ConfigureAwait(false);
        }
        finally
        {
            // Whatever ended the delivery also ends the generation.
            await stop.CancelAsync().ConfigureAwait(false);
            await feed.DisposeAsync().ConfigureAwait(false);
        }
        server.Times.Add(visit.Elapsed - (progress.Began ?? started));
    }

    private async Task DeliverAsync(
        ServedModel model,
        Ask ask,
        UpdateFeed feed,
        PromptTracker progress,
        TimeSpan started
    )
    {
        var head = new ReplyHead(visit.Number, visit.Created, model.Fingerprint, model.Tokenizer);
        ReplyWriter Writer(IFrames frames) => dialect.NewWriter(ask, head, frames);
        _delivery = ask.IsStreamed
            ? new SseWriter(http, server.Options, visit, Writer)
            : new WholeWriter(http, server.Options, visit, dialect.NewFold(ask), Writer);
        // The first update of a GptOss client says that the request is accepted; other clients say nothing of the kind.
        if (model.Own is null)
            _delivery.Accept();
        var reader = new ReplyReader(ask, hidesForeignCalls: model.CarriesOutCalls);
        while (true)
        {
            bool wantsProgress = ask.WantsProgress && _delivery.HasBegun && visit.First is null;
            switch (await feed.NextAsync(_delivery.UntilBeat, wantsProgress).ConfigureAwait(false))
            {
                case Arrival.Update:
                    _turn?.Dispose();
                    _delivery.Accept();
                    bool isTold = false;
                    foreach (ReplyEvent happened in reader.Read(feed.Current))
                    {
                        visit.First ??= visit.Elapsed;
                        _delivery.Add(happened);
                        isTold = true;
                    }
                    // What the client does not see, such as hidden reasoning, is no sign of life.
                    if (isTold)
                        await _delivery.SendAsync().ConfigureAwait(false);
                    break;
                case Arrival.Progress:
                    await _delivery.ProgressAsync(new Beat(progress.Last, visit.Elapsed)).ConfigureAwait(false);
                    break;
                case Arrival.Silence:
                    await _delivery.BeatAsync(new Beat(progress.Last, visit.Elapsed)).ConfigureAwait(false);
                    break;
                case Arrival.End:
                    ReplyEvent.Finished end = reader.Finish(Pace(progress, started));
                    (visit.Usage, visit.Waited) = (end.Usage, progress.Began ?? started);
                    visit.End = end.Reason.ToString().ToLowerInvariant();
                    _delivery.Add(end);
                    await _delivery.EndAsync().ConfigureAwait(false);
                    return;
            }
        }
    }

    private ChatOptions Options(Ask ask, PromptTracker progress)
    {
        GptOssRequestOptions own = ask.Own with
        {
            CacheScope = visit.Scope,
            PromptProgress = progress,
            StreamCalls = true,
            RecallAnswers = true,
            RepairCalls = 0,
        };
        // A pipeline that carries out calls asks for an answer after each: only the first can have the request's
        // digits.
        string? number = visit.Number;
        ask.Options.RawRepresentationFactory = _ => own with { AnswerId = Interlocked.Exchange(ref number, null) };
        return ask.Options;
    }

    // From the first token of the prompt to its last, and from there to now.
    private ReplyPace Pace(PromptTracker progress, TimeSpan started)
    {
        TimeSpan began = progress.Began ?? started,
            read = progress.LastAt ?? visit.First ?? visit.Elapsed;
        return new ReplyPace(read - began, visit.Elapsed - read);
    }

    private async Task TellAsync(Exception error, bool isTooSlow)
    {
        if (http.RequestAborted.IsCancellationRequested || _delivery is { IsGone: true })
        {
            visit.End = Visit.Gone;
            // Nobody reads the status any more, and one that was sent cannot be set, not even to itself.
            if (!http.Response.HasStarted)
                http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return;
        }
        server.Note(error);
        // What a client cancels of its own accord, such as a call over the network that took too long, is a defect.
        Fault fault =
            error is OperationCanceledException && server.Drain.HasBegun ? KnownFaults.ShuttingDown
            : error is OperationCanceledException && isTooSlow ? KnownFaults.TooSlow(server.Options.MaxTime)
            : KnownFaults.Of(error, visit.Id, server.Times.RetryAfter, schema => _ask?.PlaceOf(schema));
        if (fault.Kind == FaultKind.Internal)
            ServerLog.Defect(server.Logger, visit.Id, error);
        if (_delivery is not { HasBegun: true })
        {
            await ErrorWriter.WriteAsync(http, dialect, fault, visit).ConfigureAwait(false);
            return;
        }
        visit.Fail(fault.Code);
        await _delivery.FailAsync(fault).ConfigureAwait(false);
    }
}
