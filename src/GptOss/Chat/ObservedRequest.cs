using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>What the outside may watch of a request: a log without contents, an activity, and the engine's figures.</summary>
internal sealed partial class ObservedRequest : IDisposable
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "GptOss";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly UpDownCounter<long> Active =
        Meter.CreateUpDownCounter<long>("gptoss.requests.active", "{request}", "Requests that run or wait.");
    private static readonly Histogram<double> Prefill =
        Meter.CreateHistogram<double>("gptoss.prefill.speed", "{token}/s", "Prompt tokens per second until the first token, waiting included.");
    private static readonly Histogram<double> Decode =
        Meter.CreateHistogram<double>("gptoss.decode.speed", "{token}/s", "Tokens per second after the first.");

    private readonly ILogger _logger;
    private readonly Activity? _activity;
    private readonly int _promptTokens;
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _first;
    private long _last;
    private int _tokens;
    private ChatFinishReason? _reason;

    public ObservedRequest(ILogger logger, string model, int promptTokens)
    {
        (_logger, _promptTokens) = (logger, promptTokens);
        _activity = Source.StartActivity("generate");
        _activity?.SetTag("gen_ai.request.model", model);
        Active.Add(1);
        Began(logger, model, promptTokens);
    }

    public void Count(int token)
    {
        _last = Stopwatch.GetTimestamp();
        if (_tokens++ > 0) return;
        _first = _last;
        Prefill.Record(_promptTokens / Stopwatch.GetElapsedTime(_started, _first).TotalSeconds);
    }

    public void Complete(ChatFinishReason? reason) => _reason = reason;

    public void Dispose()
    {
        Active.Add(-1);
        if (_tokens > 1) Decode.Record((_tokens - 1) / Stopwatch.GetElapsedTime(_first, _last).TotalSeconds);
        _activity?.SetTag("gen_ai.usage.input_tokens", _promptTokens);
        _activity?.SetTag("gen_ai.usage.output_tokens", _tokens);
        _activity?.Dispose();
        if (_reason is { } reason) Ended(_logger, reason.Value, _tokens, Stopwatch.GetElapsedTime(_started).TotalMilliseconds);
        else BrokeOff(_logger, _tokens, Stopwatch.GetElapsedTime(_started).TotalMilliseconds);
    }

    [LoggerMessage(1, LogLevel.Debug, "A request to {Model} begins with {PromptTokens} tokens.")]
    private static partial void Began(ILogger logger, string model, int promptTokens);

    [LoggerMessage(2, LogLevel.Information, "The answer ended with {Reason} after {Tokens} tokens and {Milliseconds:F0} ms.")]
    private static partial void Ended(ILogger logger, string reason, int tokens, double milliseconds);

    [LoggerMessage(3, LogLevel.Information, "The answer broke off after {Tokens} tokens and {Milliseconds:F0} ms.")]
    private static partial void BrokeOff(ILogger logger, int tokens, double milliseconds);
}
