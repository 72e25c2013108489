using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>The meter <c>GptOss.AspNetCore</c>: what requests took, and what became of them.</summary>
/// <remarks>
/// Names that begin with <c>gen_ai</c> are those of OpenTelemetry's conventions. No tag holds what a client wrote: a
/// listener keeps a line for every value of a tag.
/// </remarks>
internal sealed class ServerMeter : IDisposable
{
    public const string Name = "GptOss.AspNetCore";

    // OpenTelemetry's own buckets end at 82 and 10 seconds; on a CPU a prompt is read for minutes.
    private static readonly InstrumentAdvice<double> Duration = new()
    {
        HistogramBucketBoundaries =
        [
            0.01,
            0.02,
            0.04,
            0.08,
            0.16,
            0.32,
            0.64,
            1.28,
            2.56,
            5.12,
            10.24,
            20.48,
            40.96,
            81.92,
            163.84,
            327.68,
            655.36,
        ],
    };

    private static readonly InstrumentAdvice<double> FirstToken = new()
    {
        HistogramBucketBoundaries =
        [
            0.001,
            0.005,
            0.01,
            0.02,
            0.04,
            0.06,
            0.08,
            0.1,
            0.25,
            0.5,
            0.75,
            1,
            2.5,
            5,
            7.5,
            10,
            25,
            50,
            100,
            250,
        ],
    };

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _gone;
    private int _queued;

    /// <param name="factory">The host's factory of meters; null where it has none.</param>
    /// <param name="answered">How many requests to the model are under way now, whether they run or wait.</param>
    /// <param name="storedBytes">What the stored answers take now.</param>
    public ServerMeter(IMeterFactory? factory, Func<int> answered, Func<long> storedBytes)
    {
        _meter = factory?.Create(Name) ?? new Meter(Name);
        _duration = _meter.CreateHistogram(
            "gen_ai.server.request.duration",
            "s",
            "Time of a request to the model, from its head to the last byte of its answer.",
            advice: Duration
        );
        _firstToken = _meter.CreateHistogram(
            "gen_ai.server.time_to_first_token",
            "s",
            "Time from the head of a request to the first word of its answer.",
            advice: FirstToken
        );
        _refused = _meter.CreateCounter<long>(
            "gptoss.server.refused",
            "{request}",
            "Requests that were answered with an error, by its code."
        );
        _gone = _meter.CreateCounter<long>(
            "gptoss.server.gone",
            "{request}",
            "Requests whose client went before the end of the answer."
        );
        _meter.CreateObservableUpDownCounter(
            "gptoss.server.running",
            () => Math.Max(0, answered() - Volatile.Read(ref _queued)),
            "{request}",
            "Requests whose prompt is read or whose answer is written."
        );
        _meter.CreateObservableUpDownCounter(
            "gptoss.server.queued",
            () => Volatile.Read(ref _queued),
            "{request}",
            "Requests that wait for their turn."
        );
        _meter.CreateObservableUpDownCounter(
            "gptoss.server.stored_bytes",
            storedBytes,
            "By",
            "Answers that are kept for requests that build on them."
        );
    }

    /// <summary>Counts a request among those that wait, until the result is disposed; that may happen twice.</summary>
    public IDisposable Wait() => new QueuedRequest(this);

    /// <summary>Counts a request that is over.</summary>
    /// <param name="visit">What is known of it.</param>
    /// <param name="status">The status of its answer.</param>
    /// <param name="model">The name under which the model is served; null where it is not yet.</param>
    public void Record(Visit visit, int status, string? model)
    {
        bool isGone = visit.End == Visit.Gone;
        string? error =
            isGone ? Visit.Gone
            : visit.IsFault || status >= StatusCodes.Status400BadRequest ? visit.End
            : null;
        if (isGone)
            _gone.Add(1);
        else if (error is not null)
            _refused.Add(1, new KeyValuePair<string, object?>("gptoss.code", error));
        if (visit.Dialect is not { } dialect)
            return;
        var tags = new TagList
        {
            { "gen_ai.operation.name", "chat" },
            { "gen_ai.provider.name", "gptoss" },
            { "gen_ai.response.model", model },
            { "gptoss.dialect", dialect },
        };
        if (visit.First is { } first)
            _firstToken.Record(first.TotalSeconds, tags);
        if (error is not null)
            tags.Add("error.type", error);
        _duration.Record(visit.Elapsed.TotalSeconds, tags);
    }

    public void Dispose() => _meter.Dispose();

    private sealed class QueuedRequest : IDisposable
    {
        private ServerMeter? _meter;

        public QueuedRequest(ServerMeter meter)
        {
            _meter = meter;
            Interlocked.Increment(ref meter._queued);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _meter, null) is { } meter)
                Interlocked.Decrement(ref meter._queued);
        }
    }
}
