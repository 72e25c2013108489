using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace GptOss.Generation;

/// <summary>What the outside may watch of the engine: the meter and the activity source, both named <c>GptOss</c>.</summary>
/// <remarks>Figures of one request; it is told what happens by the loop that works on it, and ends with it.</remarks>
internal sealed class Telemetry
{
    public const string Name = "GptOss";

    private static readonly ActivitySource Activities = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly UpDownCounter<int> Active = Meter.CreateUpDownCounter<int>(
        "gptoss.requests.active", "{request}", "Requests that are worked on or wait for it.");

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "gptoss.requests", "{request}", "Requests that ended.");

    private static readonly Histogram<double> Wait = Meter.CreateHistogram<double>(
        "gptoss.queue.time", "s", "Time until the first step.");

    private static readonly Histogram<double> Prefill = Meter.CreateHistogram<double>(
        "gptoss.prefill.speed", "{token}/s", "Prompt tokens per second, from the first step to the first token.");

    private static readonly Histogram<double> Decode = Meter.CreateHistogram<double>(
        "gptoss.decode.speed", "{token}/s", "Tokens per second after the first.");

    private static readonly Histogram<long> KeyValueBytes = Meter.CreateHistogram<long>(
        "gptoss.kv.bytes", "By", "Keys and values that all sequences of the model hold when a request ends.");

    private readonly Activity? _activity;
    private readonly int _promptTokens;
    private readonly long _arrived = Stopwatch.GetTimestamp();
    private long _begun;
    private long _first;
    private long _last;
    private int _tokens;

    public Telemetry(int promptTokens)
    {
        _promptTokens = promptTokens;
        // The activity ends on another thread: what the caller does meanwhile is none of its children.
        Activity? caller = Activity.Current;
        _activity = Activities.StartActivity("generate")?.SetTag("gptoss.prompt.tokens", promptTokens);
        Activity.Current = caller;
        Active.Add(1);
    }

    /// <summary>A step begins.</summary>
    public void Step()
    {
        if (_begun != 0)
            return;
        _begun = Stopwatch.GetTimestamp();
        Wait.Record(Seconds(_arrived, _begun));
    }

    /// <summary>A token was made.</summary>
    public void Token()
    {
        _last = Stopwatch.GetTimestamp();
        if (_tokens++ == 0)
            _first = _last;
    }

    /// <summary>The loop takes no further step.</summary>
    public void End(EndReason reason, long keyValueBytes)
    {
        Active.Add(-1);
        Requests.Add(1, new KeyValuePair<string, object?>("gptoss.end", reason.ToString()));
        if (_tokens > 0)
            Prefill.Record(_promptTokens / Seconds(_begun, _first));
        if (_tokens > 1)
            Decode.Record((_tokens - 1) / Seconds(_first, _last));
        KeyValueBytes.Record(keyValueBytes);
        _activity?.SetTag("gptoss.answer.tokens", _tokens).SetTag("gptoss.end", reason.ToString()).Stop();
    }

    // At least one tick, so that a rate is finite.
    private static double Seconds(long from, long to) => Math.Max(1, to - from) / (double)Stopwatch.Frequency;
}
