using System.Diagnostics;
using GptOss.Generation;

namespace GptOss.Cli.Bench;

/// <summary>How many tokens a second a model makes when it answers several requests at once.</summary>
internal static class ManyStreams
{
    private const int PromptTokens = 32;

    /// <summary>Runs requests at the same time; returns the tokens a second of all together.</summary>
    /// <remarks>
    /// Prompts differ, so that nothing is found again. Time counts from the moment when the last request has its first
    /// token: then all decode, and no prompt is read beside them.
    /// </remarks>
    /// <param name="engine">The engine of the model.</param>
    /// <param name="streams">How many requests run at once.</param>
    /// <param name="tokens">How many tokens each makes while time counts, at the least.</param>
    /// <param name="stop">Ends the measurement early.</param>
    /// <param name="guide">What request number i is held to; null for nothing.</param>
    public static async Task<double> TokensPerSecondAsync(
        Engine engine,
        int streams,
        int tokens,
        CancellationToken stop,
        Func<int, ITokenGuide>? guide = null
    )
    {
        using var scheduler = new Scheduler(
            engine,
            new ModelOptions { MaxRunning = streams, MaxQueuedRequests = Math.Max(streams, 1) }
        );
        var random = new Random(streams);
        int waiting = streams,
            counted = 0;
        long began = 0;
        double seconds = 0;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAll(
                Enumerable
                    .Range(0, streams)
                    .Select(number =>
                    {
                        int[] prompt =
                        [
                            .. Enumerable
                                .Range(0, PromptTokens)
                                .Select(_ => random.Next(engine.Weights.Config.VocabSize)),
                        ];
                        return Task.Run(() => ReadAsync(prompt, guide?.Invoke(number)), stop);
                    })
            )
            .ConfigureAwait(false);
        return tokens * streams / seconds;

        async Task ReadAsync(int[] prompt, ITokenGuide? held)
        {
            using Sequence answer = scheduler.Submit(
                new GenerationRequest { Prompt = prompt, Guide = held },
                end.Token
            );
            bool isFirst = true;
            try
            {
                await foreach (GeneratedToken _ in answer.ReadAsync(end.Token).ConfigureAwait(false))
                {
                    if (isFirst && Interlocked.Decrement(ref waiting) == 0)
                        began = Stopwatch.GetTimestamp();
                    else if (Volatile.Read(ref waiting) == 0 && Interlocked.Increment(ref counted) == tokens * streams)
                    {
                        seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
                        await end.CancelAsync().ConfigureAwait(false);
                    }
                    isFirst = false;
                }
            }
            catch (OperationCanceledException) when (seconds > 0) { }
        }
    }
}
