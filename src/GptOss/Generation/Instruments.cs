using System.Diagnostics;
using System.Diagnostics.Metrics;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// What the outside may watch of a model: a meter and an activity source, both named <c>GptOss</c>, which go with the
/// model.
/// </summary>
/// <remarks>
/// The runtime lists every meter that was not disposed, and with it the code that its instruments call: one that stayed
/// behind would keep a plug-in's assemblies loaded for ever. So a model that nobody disposed takes its meter along when
/// it is collected, and what the instruments call knows neither the model nor this object.
/// </remarks>
internal sealed class Instruments : IDisposable
{
    public const string Name = "GptOss";

    private readonly Meter _meter = new(Name);

    /// <param name="cache">Whose keys and values are counted.</param>
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

        // What is true now is asked for, not summed up: a listener that comes late sees the same as one from the
        // beginning.
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

    /// <summary>What is true now of one model.</summary>
    internal sealed class Present(KvCache cache)
    {
        private int _active;
        private int _waiting;

        /// <summary>Requests that are worked on or wait for it.</summary>
        public int Active => Volatile.Read(ref _active);

        /// <summary>Requests that wait for their first step.</summary>
        public int Waiting => Volatile.Read(ref _waiting);

        /// <summary>Bytes of keys and values.</summary>
        public long Bytes => cache.Bytes;

        public void Arrived()
        {
            Interlocked.Increment(ref _active);
            Interlocked.Increment(ref _waiting);
        }

        public void Begun() => Interlocked.Decrement(ref _waiting);

        public void Ended() => Interlocked.Decrement(ref _active);
    }
}
