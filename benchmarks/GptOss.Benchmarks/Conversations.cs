using System.Diagnostics;
using GptOss.Cli.Bench;
using GptOss.Generation;
using static GptOss.Benchmarks.SmallBatches;

namespace GptOss.Benchmarks;

/// <summary>
/// What many conversations at once cost each other: the second turn of a chat, an answer beside a prompt that is read,
/// and 16 answers against one.
/// </summary>
/// <remarks>
/// Six layers of the published 20b sizes with random weights, in the fast precision; the first line is of the tiny
/// model. Every figure is a ratio within one run.
/// </remarks>
internal static class Conversations
{
    private const int Layers = 6,
        Rounds = 3;

    public static async Task RunAsync()
    {
        await BesideLongPromptAsync().ConfigureAwait(false);
        var options = new ModelOptions { Precision = Precision.Fast, KvCacheBytes = 6L << 30 };
        using var random = new RandomModel(
            PublishedShape.Small,
            Layers,
            RandomForm.Safetensors,
            options,
            CancellationToken.None
        );
        await SecondTurnAsync(random.Engine).ConfigureAwait(false);
        await BesidePromptAsync(random.Engine, promptTokens: 4000, "6L of 20b", Rounds).ConfigureAwait(false);
        await ManyAnswersAsync(random.Engine).ConfigureAwait(false);
    }

    private static async Task BesideLongPromptAsync()
    {
        using GptOssModel tiny = await GptOssModel
            .LoadAsync(TinyGptOss.Folder, new ModelOptions { ContextLength = 40_000 })
            .ConfigureAwait(false);
        await BesidePromptAsync(tiny.Engine, promptTokens: 32_768, "tiny model", rounds: 1).ConfigureAwait(false);
    }

    // Turn 1 reads 2,000 tokens and answers 32; turn 2 adds 16.
    private static async Task SecondTurnAsync(Engine engine)
    {
        var ratios = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            using var scheduler = new Scheduler(engine, ModelOptions.Default);
            List<int> history = [.. Tokens(engine, 2000, seed: round)];
            List<(int Token, double At)> first = await AnswerAsync(scheduler, history, 32).ConfigureAwait(false);
            history.AddRange(first.Select(token => token.Token));
            history.AddRange(Tokens(engine, 16, seed: 100 + round));
            List<(int Token, double At)> second = await AnswerAsync(scheduler, history, 1).ConfigureAwait(false);
            ratios.Add(second[0].At / first[0].At);
        }
        Console.WriteLine($"first token of turn 2: {Median(ratios):0.0 %} of the time of turn 1");
    }

    private static async Task BesidePromptAsync(Engine engine, int promptTokens, string name, int rounds)
    {
        List<double> typical = [],
            worst = [],
            prefill = [],
            speed = [];
        for (int round = 0; round < rounds; round++)
        {
            using var scheduler = new Scheduler(engine, ModelOptions.Default);
            double alone = (
                await AnswerAsync(scheduler, Tokens(engine, promptTokens, 2 * round), 1).ConfigureAwait(false)
            )[0].At;
            using var end = new CancellationTokenSource();
            List<double> times = [];
            Task reading = ReadAsync(scheduler, Tokens(engine, 32, 50 + round), times, end.Token);
            while (Count(times) < 40)
                await Task.Delay(10).ConfigureAwait(false);
            int before = Count(times);
            double beside = (
                await AnswerAsync(scheduler, Tokens(engine, promptTokens, 2 * round + 1), 1).ConfigureAwait(false)
            )[0].At;
            int after = Count(times);
            await end.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
            // The same tokens of the same answer, undisturbed: an answer slows down as it grows, whoever is beside it.
            List<(int Token, double At)> calm = await AnswerAsync(
                    scheduler,
                    Tokens(engine, 32, 50 + round),
                    Math.Max(after, before + 2)
                )
                .ConfigureAwait(false);
            List<double> undisturbed = Gaps(calm.Select(token => token.At).Skip(before)),
                disturbed = Gaps(times.Take(Math.Max(after, before + 2)).Skip(before));
            double token = Median([.. undisturbed]);
            typical.Add(Median([.. disturbed]) / token);
            worst.Add(disturbed.Max() / token);
            prefill.Add(alone / beside);
            speed.Add(undisturbed.Sum() / disturbed.Sum());
        }
        Console.WriteLine(
            $"{name}, an answer beside a prompt of {promptTokens}: {Median(typical):0.00} × the time of a token, at "
                + $"worst {Median(worst):0.00} ×; {Median(speed):0.00} × its speed; the prompt {Median(prefill):0.00} ×"
        );
    }

    private static async Task ManyAnswersAsync(Engine engine)
    {
        List<double> ratios = [],
            speeds = [];
        for (int round = 0; round < Rounds; round++)
        {
            double one =
                    await ManyStreams.TokensPerSecondAsync(engine, 1, 32, CancellationToken.None).ConfigureAwait(false),
                many =
                    await ManyStreams
                        .TokensPerSecondAsync(engine, 16, 16, CancellationToken.None)
                        .ConfigureAwait(false);
            ratios.Add(many / one);
            speeds.Add(many);
        }
        Console.WriteLine($"16 answers: {Median(speeds):0.0} tok/s together, {Median(ratios):0.00} × one alone");
    }

    private static async Task<List<(int Token, double At)>> AnswerAsync(
        Scheduler scheduler,
        IReadOnlyList<int> prompt,
        int tokens
    )
    {
        long started = Stopwatch.GetTimestamp();
        List<(int, double)> answer = [];
        using Sequence sequence = scheduler.Submit(
            new GenerationRequest { Prompt = prompt, MaxTokens = tokens },
            CancellationToken.None
        );
        await foreach (GeneratedToken token in sequence.ReadAsync().ConfigureAwait(false))
            answer.Add((token.Id, Stopwatch.GetElapsedTime(started).TotalSeconds));
        return answer;
    }

    private static async Task ReadAsync(
        Scheduler scheduler,
        IReadOnlyList<int> prompt,
        List<double> times,
        CancellationToken end
    )
    {
        long started = Stopwatch.GetTimestamp();
        using Sequence sequence = scheduler.Submit(new GenerationRequest { Prompt = prompt }, end);
        try
        {
            await foreach (GeneratedToken _ in sequence.ReadAsync(end).ConfigureAwait(false))
                lock (times)
                    times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        catch (OperationCanceledException) { }
    }

    private static List<double> Gaps(IEnumerable<double> times) =>
        [.. times.Zip(times.Skip(1), (from, to) => to - from)];

    private static int Count(List<double> times)
    {
        lock (times)
            return times.Count;
    }

    private static int[] Tokens(Engine engine, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(engine.Weights.Config.VocabSize))];
    }
}
