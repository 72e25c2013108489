using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>What the outside may watch of the engine: the meter and the activity source, both named <c>GptOss</c>.</summary>
/// <remarks>Figures of one request; it is told what happens by the loop that works on it, and ends with it.</remarks>
internal sealed class Telemetry
{
    public const string Name = "GptOss";

    private static readonly ActivitySource Activities = new(Name);
    private static readonly Meter Meter = new(Name);

    // Without holding them: a cache that is collected has given its blocks back.
    private static readonly ConditionalWeakTable<KvCache, object> Caches = [];

    private static int _active;
    private static int _waiting;

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "gptoss.requests", "{request}", "Requests that ended.");

    private static readonly Histogram<double> Wait = Meter.CreateHistogram<double>(
        "gptoss.queue.time", "s", "Time until the first step.");

    private static readonly Histogram<double> Prefill = Meter.CreateHistogram<double>(
        "gptoss.prefill.speed", "{token}/s", "Computed prompt tokens per second, from the first step to the first token.");

    private static readonly Histogram<double> Decode = Meter.CreateHistogram<double>(
        "gptoss.decode.speed", "{token}/s", "Tokens per second after the first.");

    private static readonly Counter<long> PromptTokens = Meter.CreateCounter<long>(
        "gptoss.prompt.tokens", "{token}", "Tokens of the prompts whose work has begun.");

    private static readonly Counter<long> CachedTokens = Meter.CreateCounter<long>(
        "gptoss.prompt.cached", "{token}", "Those of them whose keys and values were found again.");

    private readonly Activity? _activity;
    private readonly int _promptTokens;
    private int _cachedTokens;
    private readonly long _arrived = Stopwatch.GetTimestamp();
    private long _begun;
    private long _first;
    private long _last;
    private int _tokens;

    // What is true now is asked for, not summed up: a listener that comes late sees the same as one from the beginning.
    static Telemetry()
    {
        Meter.CreateObservableUpDownCounter<int>(
            "gptoss.requests.active", () => Volatile.Read(ref _active), "{request}",
            "Requests that are worked on or wait for it.");
        Meter.CreateObservableUpDownCounter<int>(
            "gptoss.queue.length", () => Volatile.Read(ref _waiting), "{request}",
            "Requests that wait for their first step.");
        Meter.CreateObservableUpDownCounter<long>(
            "gptoss.kv.bytes", () => Caches.Sum(cache => cache.Key.Bytes), "By",
            "Keys and values that the sequences of all models hold now.");
    }

    /// <param name="promptTokens">All of the prompt.</param>
    public Telemetry(int promptTokens)
    {
        _promptTokens = promptTokens;
        // The activity ends on another thread: what the caller does meanwhile is none of its children.
        Activity? caller = Activity.Current;
        _activity = Activities.StartActivity("generate")?.SetTag("gptoss.prompt.tokens", promptTokens);
        Activity.Current = caller;
        Interlocked.Increment(ref _active);
        Interlocked.Increment(ref _waiting);
    }

    /// <summary>Counts the keys and values of a model, as long as it lives.</summary>
    public static void Watch(KvCache cache) => Caches.Add(cache, cache);

    /// <summary>The first step begins; every request comes to it, if only to be told that it is not wanted any more.</summary>
    /// <param name="cachedTokens">Tokens of the prompt that need no computing.</param>
    public void Begin(int cachedTokens)
    {
        _begun = Stopwatch.GetTimestamp();
        _cachedTokens = cachedTokens;
        Interlocked.Decrement(ref _waiting);
        Wait.Record(Seconds(_arrived, _begun));
        PromptTokens.Add(_promptTokens);
        CachedTokens.Add(cachedTokens);
        _activity?.SetTag("gptoss.prompt.cached", cachedTokens);
    }

    /// <summary>A token was made.</summary>
    public void Token()
    {
        _last = Stopwatch.GetTimestamp();
        if (_tokens++ == 0)
            _first = _last;
    }

    /// <summary>The loop takes no further step.</summary>
    public void End(EndReason reason)
    {
        Interlocked.Decrement(ref _active);
        try
        {
            Requests.Add(1, new KeyValuePair<string, object?>("gptoss.end", reason.ToString()));
            if (_tokens > 0)
                Prefill.Record((_promptTokens - _cachedTokens) / Seconds(_begun, _first));
            if (_tokens > 1)
                Decode.Record((_tokens - 1) / Seconds(_first, _last));
        }
        finally
        {
            // Also where a listener throws: a span that stays open would take in what comes after it.
            _activity?.SetTag("gptoss.answer.tokens", _tokens).SetTag("gptoss.end", reason.ToString()).Stop();
        }
    }

    // At least one tick, so that a rate is finite.
    private static double Seconds(long from, long to) => Math.Max(1, to - from) / (double)Stopwatch.Frequency;
}
