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

    private readonly Meter _meter = new(Name);

    /// <param name="cache">The cache whose keys and values are counted.</param>
    public Instruments(KvCache cache)
    {
        Requests = _meter.CreateCounter<long>("gptoss.requests", "{request}", "Requests that ended.");
        Wait = _meter.CreateHistogram<double>("gptoss.queue.time", "s", "Time until the first step.");
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

        // Listeners ask for these values whenever they want. Values summed up from changes would be wrong for a
        // listener that comes late.
        Present now = Now = new Present(cache);
        _meter.CreateObservableUpDownCounter<int>(
            "gptoss.requests.active",
            () => now.Active,
            "{request}",
            "Requests that are worked on or wait for it."
        );
        _meter.CreateObservableUpDownCounter<int>(
            "gptoss.queue.length",
            () => now.Waiting,
            "{request}",
            "Requests that wait for their first step."
        );
        _meter.CreateObservableUpDownCounter<long>(
            "gptoss.kv.bytes",
            () => now.Bytes,
            "By",
            "Keys and values that the sequences of the model hold now."
        );
    }

    ~Instruments() => Close();

    public ActivitySource Activities { get; } = new(Name);

    public Counter<long> Requests { get; }

    public Histogram<double> Wait { get; }

    public Histogram<double> Prefill { get; }

    public Histogram<double> Decode { get; }

    public Counter<long> PromptTokens { get; }

    public Counter<long> CachedTokens { get; }

    public Counter<long> Drafted { get; }

    public Counter<long> Accepted { get; }

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

    /// <summary>
    /// How many requests a model works on now, how many wait, and how many bytes their keys and values take: live
    /// counts that the observable instruments of the meter read.
    /// </summary>
    /// <param name="cache">The cache whose keys and values are counted.</param>
    internal sealed class Present(KvCache cache)
    {
        private int _active;
        private int _waiting;
        private int _pauses;

        /// <summary>Requests that are worked on or wait for it.</summary>
        public int Active => Volatile.Read(ref _active);

        /// <summary>Requests that wait for their first step.</summary>
        public int Waiting => Volatile.Read(ref _waiting);

        /// <summary>Bytes of keys and values that sequences hold.</summary>
        public long Bytes => cache.Bytes;

        /// <summary>How often a request was paused because pages ran out, since the model was loaded.</summary>
        public int Pauses => Volatile.Read(ref _pauses);

        public void Paused() => Interlocked.Increment(ref _pauses);

        public void Arrived()
        {
            Interlocked.Increment(ref _active);
            Interlocked.Increment(ref _waiting);
        }

        public void Begun() => Interlocked.Decrement(ref _waiting);

        public void Ended() => Interlocked.Decrement(ref _active);
    }
}
