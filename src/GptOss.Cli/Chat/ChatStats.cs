using System.Diagnostics;
using GptOss.Cli.Shell;
using Microsoft.Extensions.AI;

namespace GptOss.Cli.Chat;

/// <summary>Counts the tokens and the time of the answers since the start of the tool.</summary>
internal sealed class ChatStats
{
    private readonly UsageDetails _total = new()
    {
        InputTokenCount = 0,
        CachedInputTokenCount = 0,
        OutputTokenCount = 0,
        ReasoningTokenCount = 0,
    };
    private UsageDetails? _last;
    private TimeSpan _lastWait,
        _lastAnswer;
    private int _answers;

    /// <summary>Counts an answer; one that was stopped has no usage.</summary>
    /// <param name="usage">The tokens of the answer.</param>
    /// <param name="asked">Timestamp of the question.</param>
    /// <param name="began">Timestamp of the first piece of the answer.</param>
    public void Add(UsageDetails? usage, long asked, long began)
    {
        _answers++;
        if (usage is null)
            return;
        _total.Add(usage);
        (_last, _lastWait, _lastAnswer) = (
            usage,
            Stopwatch.GetElapsedTime(asked, began),
            Stopwatch.GetElapsedTime(began)
        );
    }

    /// <summary>The figures as lines of name and value.</summary>
    /// <param name="contextTokens">Tokens that the conversation takes now.</param>
    /// <param name="contextLength">Tokens that the model's context has.</param>
    public Sheet Sheet(int contextTokens, int contextLength) =>
        Shell.Sheet.OfPairs(
            "Statistics",
            [
                ("answers", Amount.Count(_answers)),
                ("tokens in all", Tokens(_total)),
                .. _last is { } last
                    ?
                    [
                        ("tokens of the last answer", Tokens(last)),
                        ("time to its first token", $"{Amount.Measure(_lastWait.TotalSeconds)} s"),
                        ("its speed", $"{Amount.Measure(TokensPerSecond(last))} tok/s"),
                    ]
                    : Array.Empty<(string, string)>(),
                ("context", $"{Amount.Count(contextTokens)} of {Amount.Count(contextLength)} tokens"),
            ]
        );

    private double TokensPerSecond(UsageDetails usage) =>
        (usage.OutputTokenCount ?? 0) / Math.Max(_lastAnswer.TotalSeconds, 1e-3);

    private static string Tokens(UsageDetails usage)
    {
        string cached = Amount.Count(usage.CachedInputTokenCount ?? 0),
            reasoning = Amount.Count(usage.ReasoningTokenCount ?? 0);
        return $"{Amount.Count(usage.InputTokenCount ?? 0)} in, {cached} of them cached; "
            + $"{Amount.Count(usage.OutputTokenCount ?? 0)} out, {reasoning} of them reasoning";
    }
}
