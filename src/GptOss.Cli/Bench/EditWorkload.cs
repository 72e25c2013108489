using System.Diagnostics;
using System.Reflection;
using GptOss.Generation;
using GptOss.Tokenization;

namespace GptOss.Cli.Bench;

/// <summary>
/// What prompt lookup brings where an answer is an edit of its prompt, and what it costs where an answer copies
/// nothing.
/// </summary>
/// <remarks>
/// The prompt is a stored source file. The answers are stored too and are forced on the model, so that random weights
/// copy as a trained model would: an edited version of the file, in which nine of ten tokens are copies, and a text
/// that has nothing to do with the prompt. A trained model computes as long as a random one, except that its tokens may
/// choose other experts.
/// </remarks>
internal sealed class EditWorkload : IDisposable
{
    private readonly Scheduler _scheduler;
    private readonly IReadOnlyList<int> _prompt;
    private readonly IReadOnlyList<int> _edit;
    private readonly IReadOnlyList<int> _other;
    private readonly CancellationToken _stop;

    /// <param name="engine">The engine of the model.</param>
    /// <param name="tokenizer">Turns the stored texts into tokens.</param>
    /// <param name="stop">Ends the measurement early.</param>
    public EditWorkload(Engine engine, Tokenizer tokenizer, CancellationToken stop)
    {
        _prompt = tokenizer.Encode(Text("before"));
        _edit = tokenizer.Encode(Text("after"));
        _other = tokenizer.Encode(Text("other"));
        _stop = stop;
        if (_prompt.Count + Math.Max(_edit.Count, _other.Count) > engine.ContextLength)
            throw new Shell.UsageException(
                $"The texts of --workload edit exceed the model's context of {engine.ContextLength} tokens."
            );
        _scheduler = new Scheduler(engine, new ModelOptions { MaxRunning = 1 });
    }

    /// <summary>Runs the answers with and without lookup by turns, and returns the medians.</summary>
    /// <param name="rounds">How often each answer is measured; what is learnt before does not count.</param>
    public EditFigures Run(int rounds)
    {
        AnswerAsync(_edit, true).GetAwaiter().GetResult(); // compiles, and learns how long passes of many rows take
        Pair[] edits = [.. Enumerable.Range(0, rounds).Select(_ => Round(_edit))],
            others = [.. Enumerable.Range(0, rounds).Select(_ => Round(_other))];
        return new EditFigures
        {
            PromptTokens = _prompt.Count,
            AnswerTokens = _edit.Count,
            PlainTokPerS = Median.Of(edits.Select(pair => pair.Plain.Speed)),
            LookupTokPerS = Median.Of(edits.Select(pair => pair.Lookup.Speed)),
            Gain = Median.Of(edits.Select(pair => pair.Ratio)),
            GuessedTokens = Median.Of(edits.Select(pair => (double)pair.Lookup.Guessed)),
            RightTokens = Median.Of(edits.Select(pair => (double)pair.Lookup.Right)),
            CostWithoutCopies = Median.Of(others.Select(pair => 1 - pair.Ratio)),
        };
    }

    public void Dispose()
    {
        _scheduler.Prefixes.Clear();
        _scheduler.Dispose();
    }

    /// <summary>One of the stored texts, as it lies in this assembly.</summary>
    internal static string Text(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Bench.Texts.{name}.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    // One behind the other, so that both see the same moments of a machine that is shared.
    private Pair Round(IReadOnlyList<int> answer) =>
        new(AnswerAsync(answer, false).GetAwaiter().GetResult(), AnswerAsync(answer, true).GetAwaiter().GetResult());

    private async Task<TimedAnswer> AnswerAsync(IReadOnlyList<int> answer, bool lookup)
    {
        using Sequence sequence = _scheduler.Submit(
            new GenerationRequest
            {
                Prompt = _prompt,
                Script = answer,
                MaxTokens = answer.Count,
                PromptLookup = lookup,
            },
            _stop
        );
        long began = 0,
            ended = 0;
        await foreach (GeneratedToken _ in sequence.ReadAsync(_stop).ConfigureAwait(false))
        {
            ended = Stopwatch.GetTimestamp();
            began = began == 0 ? ended : began;
        }
        return new TimedAnswer(
            (answer.Count - 1) / Stopwatch.GetElapsedTime(began, ended).TotalSeconds,
            sequence.Telemetry.GuessedTokens,
            sequence.Telemetry.RightTokens
        );
    }

    private readonly record struct TimedAnswer(double Speed, int Guessed, int Right);

    private readonly record struct Pair(TimedAnswer Plain, TimedAnswer Lookup)
    {
        public double Ratio => Lookup.Speed / Plain.Speed;
    }
}

/// <summary>An edit of the prompt, answered with and without prompt lookup; medians over the rounds.</summary>
internal sealed record EditFigures
{
    public required int PromptTokens { get; init; }
    public required int AnswerTokens { get; init; }
    public required double PlainTokPerS { get; init; }
    public required double LookupTokPerS { get; init; }

    /// <summary>How many times the plain speed lookup reaches: the median of the rounds' ratios.</summary>
    public required double Gain { get; init; }

    /// <summary>Tokens that were guessed and verified in passes, of one answer.</summary>
    public required double GuessedTokens { get; init; }

    /// <summary>Those of them that were right.</summary>
    public required double RightTokens { get; init; }

    /// <summary>The part of the speed that lookup costs where the answer copies nothing.</summary>
    public required double CostWithoutCopies { get; init; }

    /// <summary>The share of guessed tokens that were right.</summary>
    public double Acceptance => RightTokens / GuessedTokens;
}
