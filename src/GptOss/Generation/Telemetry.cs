using System.Diagnostics;

namespace GptOss.Generation;

/// <summary>
/// Measures one request, from its arrival to its end: waiting time, speeds and numbers of tokens, for the listeners of
/// <see cref="Instruments"/>. The scheduler's loop tells it what happens.
/// </summary>
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
    private bool _isPaused;

    /// <param name="instruments">The instruments of the model.</param>
    /// <param name="promptTokens">Number of tokens of the prompt.</param>
    public Telemetry(Instruments instruments, int promptTokens)
    {
        _instruments = instruments;
        _promptTokens = promptTokens;
        // The activity ends on another thread. The caller's own activity becomes current again, so that what the caller
        // does meanwhile is not recorded as a part of this one.
        Activity? caller = Activity.Current;
        _activity = instruments.Activities.StartActivity("generate")?.SetTag("gptoss.prompt.tokens", promptTokens);
        Activity.Current = caller;
        instruments.Now.Arrived();
    }

    /// <summary>Tokens that were guessed and verified in a pass so far.</summary>
    public int GuessedTokens { get; private set; }

    /// <summary>Those of them that became tokens of the answer.</summary>
    public int RightTokens { get; private set; }

    /// <summary>
    /// Called when the first step begins. Every request gets this call, even one that was cancelled while it waited.
    /// </summary>
    /// <param name="cachedTokens">Number of tokens of the prompt that need no computing.</param>
    public void Begin(int cachedTokens)
    {
        using var foreign = new ForeignCode();
        _begun = Stopwatch.GetTimestamp();
        _cachedTokens = cachedTokens;
        _instruments.Now.Begun();
        _instruments.Wait.Record(Seconds(_arrived, _begun));
        _instruments.PromptTokens.Add(_promptTokens);
        _instruments.CachedTokens.Add(cachedTokens);
        _activity?.SetTag("gptoss.prompt.cached", cachedTokens);
    }

    /// <summary>Called when a token of the answer was made.</summary>
    public void Token()
    {
        _last = Stopwatch.GetTimestamp();
        if (_tokens++ > 0)
            return;
        using var foreign = new ForeignCode();
        _first = _last;
        _instruments.FirstToken.Record(Seconds(_arrived, _first));
        _instruments.HitRatio.Record((double)_cachedTokens / _promptTokens);
    }

    /// <summary>Called when a guide has said which tokens are allowed at one place.</summary>
    /// <param name="started">When it was asked, by the clock of <see cref="Stopwatch"/>.</param>
    public void Masked(long started) => _instruments.Mask.Record(Seconds(started, Stopwatch.GetTimestamp()));

    /// <summary>Called when tokens were taken in that the guide had dictated; returns what a listener throws.</summary>
    public Exception? Forced(int count)
    {
        using var foreign = new ForeignCode();
        try
        {
            _instruments.Forced.Add(count);
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }

    /// <summary>Called when the request gives its pages up and waits to be computed again.</summary>
    public void Pause()
    {
        _isPaused = true;
        _instruments.Now.Pause();
    }

    /// <summary>Called when the request goes on or ends; does nothing unless it was paused.</summary>
    public void Resume()
    {
        if (_isPaused)
            _instruments.Now.Resume();
        _isPaused = false;
    }

    /// <summary>Called when a pass has verified guesses of the next tokens.</summary>
    /// <param name="count">How many tokens were guessed.</param>
    public void Guessed(int count) => GuessedTokens += count;

    /// <summary>Called for every guess that proved right and became a token of the answer.</summary>
    public void Accepted() => RightTokens++;

    /// <summary>Called when the loop takes no further step.</summary>
    /// <param name="how">The name of the <see cref="EndReason"/>, or why there is none.</param>
    public void End(string how)
    {
        using var foreign = new ForeignCode(); // which also keeps the activity's parent from becoming current here
        Resume();
        _instruments.Now.Ended();
        try
        {
            _instruments.Requests.Add(1, new KeyValuePair<string, object?>("gptoss.end", how));
            if (GuessedTokens > 0)
            {
                _instruments.Drafted.Add(GuessedTokens);
                _instruments.Accepted.Add(RightTokens);
            }
            if (_tokens > 0)
                _instruments.Prefill.Record((_promptTokens - _cachedTokens) / Seconds(_begun, _first));
            if (_tokens > 1)
                _instruments.Decode.Record((_tokens - 1) / Seconds(_first, _last));
        }
        finally
        {
            // Also where a listener throws, because later work would be recorded as a part of an activity that stays
            // open.
            _activity?.SetTag("gptoss.answer.tokens", _tokens).SetTag("gptoss.end", how).Stop();
        }
    }

    // At least one tick of the clock, so that a rate, which divides by the result, is finite.
    private static double Seconds(long from, long to) => Math.Max(1, to - from) / (double)Stopwatch.Frequency;
}
