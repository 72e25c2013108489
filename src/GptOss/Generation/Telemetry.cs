using System.Diagnostics;

namespace GptOss.Generation;

/// <summary>The figures of one request: told what happens by the loop that works on it, and ended with it.</summary>
internal sealed class Telemetry
{
    private readonly Instruments _instruments;
    private readonly Activity? _activity;
    private readonly int _promptTokens;
    private int _cachedTokens;
    private readonly long _arrived = Stopwatch.GetTimestamp();
    private long _begun;
    private long _first;
    private long _last;
    private int _tokens;

    /// <param name="instruments">Of the model.</param>
    /// <param name="promptTokens">All of the prompt.</param>
    public Telemetry(Instruments instruments, int promptTokens)
    {
        _instruments = instruments;
        _promptTokens = promptTokens;
        // The activity ends on another thread: what the caller does meanwhile is none of its children.
        Activity? caller = Activity.Current;
        _activity = instruments.Activities.StartActivity("generate")?.SetTag("gptoss.prompt.tokens", promptTokens);
        Activity.Current = caller;
        instruments.Now.Arrived();
    }

    /// <summary>
    /// The first step begins; every request comes to it, if only to be told that it is not wanted any more.
    /// </summary>
    /// <param name="cachedTokens">Tokens of the prompt that need no computing.</param>
    public void Begin(int cachedTokens)
    {
        _begun = Stopwatch.GetTimestamp();
        _cachedTokens = cachedTokens;
        _instruments.Now.Begun();
        _instruments.Wait.Record(Seconds(_arrived, _begun));
        _instruments.PromptTokens.Add(_promptTokens);
        _instruments.CachedTokens.Add(cachedTokens);
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
    /// <param name="how">An <see cref="EndReason"/>, or why there is none.</param>
    public void End(string how)
    {
        _instruments.Now.Ended();
        try
        {
            _instruments.Requests.Add(1, new KeyValuePair<string, object?>("gptoss.end", how));
            if (_tokens > 0)
                _instruments.Prefill.Record((_promptTokens - _cachedTokens) / Seconds(_begun, _first));
            if (_tokens > 1)
                _instruments.Decode.Record((_tokens - 1) / Seconds(_first, _last));
        }
        finally
        {
            // Also where a listener throws: a span that stays open would take in what comes after it.
            _activity?.SetTag("gptoss.answer.tokens", _tokens).SetTag("gptoss.end", how).Stop();
        }
    }

    // At least one tick, so that a rate is finite.
    private static double Seconds(long from, long to) => Math.Max(1, to - from) / (double)Stopwatch.Frequency;
}
