using System.Diagnostics;
using System.Diagnostics.Metrics;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// The metrics and traces of one model, for listeners such as OpenTelemetry: a meter and an activity source, both named
/// <c>GptOss</c>.
/// </summary>
/// <remarks>
/// The runtime keeps a list of every meter that was not disposed, and with it the code that its instruments call. A
/// forgotten meter would keep the assemblies of a plug-in loaded for ever. So when a model that nobody disposed is
/// collected, its meter is disposed too, and the code of the instruments refers neither to the model nor to this
/// object.
/// </remarks>
internal sealed class Instruments : IDisposable
{
    public const string Name = "GptOss";

    // Without advice OpenTelemetry counts by 0, 5, 10, 25 …, which tells neither seconds nor shares of 1 apart.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250],
    };

    private static readonly InstrumentAdvice<double> Short = new()
    {
        HistogramBucketBoundaries = [1e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 0.01, 0.1, 1],
    };

    private static readonly InstrumentAdvice<double> Share = new()
    {
        HistogramBucketBoundaries = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99],
    };

    private readonly Meter _meter = new(Name);

    /// <param name="cache">The cache whose keys and values are counted.</param>
    public Instruments(KvCache cache)
    {
        Requests = _meter.CreateCounter<long>("gptoss.requests", "{request}", "Requests that ended.");
        Wait = _meter.CreateHistogram("gptoss.queue.time", "s", "Time until the first step.", advice: Seconds);
        FirstToken = _meter.CreateHistogram(
            "gptoss.time_to_first_token",
            "s",
            "Time from the arrival of a request to its first token.",
            advice: Seconds
        );
        Prefill = _meter.CreateHistogram<double>(
            "gptoss.prefill.speed",
            "{token}/s",
            "Computed prompt tokens per second, from the first step to the first token."
        );
        Decode = _meter.CreateHistogram<double>(
            "gptoss.decode.speed",
            "{token}/s",
            "Tokens per second after the first."
        );
        PromptTokens = _meter.CreateCounter<long>(
            "gptoss.prompt.tokens",
            "{token}",
            "Tokens of the prompts whose work has begun."
        );
        CachedTokens = _meter.CreateCounter<long>(
            "gptoss.prompt.cached",
            "{token}",
            "Those of them whose keys and values were found again."
        );
        HitRatio = _meter.CreateHistogram(
            "gptoss.prompt.hit_ratio",
            "1",
            "The part of a prompt whose keys and values were found again, 0 to 1.",
            advice: Share
        );
        Drafted = _meter.CreateCounter<long>(
            "gptoss.speculation.drafted",
            "{token}",
            "Tokens that were guessed from what came before and verified in a pass."
        );
        Accepted = _meter.CreateCounter<long>(
            "gptoss.speculation.accepted",
            "{token}",
            "Those of them that were right."
        );
        Compile = _meter.CreateHistogram(
            "gptoss.constraint.compile",
            "s",
            "Time to compile what answers and calls are held to, where it was not kept.",
            advice: Short
        );
        Mask = _meter.CreateHistogram(
            "gptoss.constraint.mask",
            "s",
            "Time to find the tokens that are allowed at one place of an answer.",
            advice: Short
        );
        Forced = _meter.CreateCounter<long>(
            "gptoss.tokens.forced",
            "{token}",
            "Tokens of answers that nothing else could take the place of, so that they needed no choice."
        );

        // Listeners ask for these values whenever they want. Values summed up from changes would be wrong for a
        // listener that comes late.
        Present now = Now = new Present();
        Observe("gptoss.requests.active", "Requests that are worked on or wait for it.", () => now.Active);
        Observe("gptoss.requests.running", "Requests that are worked on.", () => now.Running);
        Observe("gptoss.requests.paused", "Requests that gave their pages up and wait again.", () => now.Paused);
        Observe("gptoss.queue.length", "Requests that wait for their first step.", () => now.Waiting);
        _meter.CreateObservableUpDownCounter<long>(
            "gptoss.kv.bytes",
            () => cache.Bytes,
            "By",
            "Keys and values that the sequences of the model hold now."
        );
        _meter.CreateObservableUpDownCounter<long>(
            "gptoss.kv.pages",
            () => PagesByState(cache.Pool.Count()),
            "{page}",
            "Pages of keys and values: used by requests, cached as prefixes that no request uses now, or free."
        );
    }

    ~Instruments() => Close();

    public ActivitySource Activities { get; } = new(Name);

    public Counter<long> Requests { get; }

    public Histogram<double> Wait { get; }

    public Histogram<double> FirstToken { get; }

    public Histogram<double> Prefill { get; }

    public Histogram<double> Decode { get; }

    public Counter<long> PromptTokens { get; }

    public Counter<long> CachedTokens { get; }

    public Histogram<double> HitRatio { get; }

    public Counter<long> Drafted { get; }

    public Counter<long> Accepted { get; }

    public Histogram<double> Compile { get; }

    public Histogram<double> Mask { get; }

    public Counter<long> Forced { get; }

    public Present Now { get; }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Close();
    }

    private void Close()
    {
        _meter?.Dispose();
        Activities?.Dispose();
    }

    private void Observe(string name, string description, Func<int> now) =>
        _meter.CreateObservableUpDownCounter(name, now, "{request}", description);

    private static Measurement<long>[] PagesByState(PageCounts pages) =>
        [
            new(pages.Used, new KeyValuePair<string, object?>("gptoss.state", "used")),
            new(pages.Cached, new KeyValuePair<string, object?>("gptoss.state", "cached")),
            new(pages.Free, new KeyValuePair<string, object?>("gptoss.state", "free")),
        ];

    /// <summary>
    /// How many requests a model works on now and how many wait: live counts that the observable instruments of the
    /// meter read.
    /// </summary>
    internal sealed class Present
    {
        private int _active;
        private int _waiting;
        private int _paused;
        private int _pauses;

        /// <summary>Requests that are worked on or wait for it.</summary>
        public int Active => Volatile.Read(ref _active);

        /// <summary>Requests that are worked on; never less than none, though a request may come between two
        /// looks.</summary>
        public int Running => Math.Max(0, Active - Waiting - Paused);

        /// <summary>Requests that wait for their first step.</summary>
        public int Waiting => Volatile.Read(ref _waiting);

        /// <summary>Requests that had begun and gave their pages up; they wait to be computed again.</summary>
        public int Paused => Volatile.Read(ref _paused);

        /// <summary>How often a request was paused, since the model was loaded.</summary>
        public int Pauses => Volatile.Read(ref _pauses);

        public void Arrived()
        {
            Interlocked.Increment(ref _waiting);
            Interlocked.Increment(ref _active);
        }

        public void Begun() => Interlocked.Decrement(ref _waiting);

        public void Pause()
        {
            Interlocked.Increment(ref _pauses);
            Interlocked.Increment(ref _paused);
        }

        public void Resume() => Interlocked.Decrement(ref _paused);

        public void Ended() => Interlocked.Decrement(ref _active);
    }
}
