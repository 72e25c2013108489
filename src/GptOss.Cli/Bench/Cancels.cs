using System.Diagnostics;
using System.Diagnostics.Metrics;
using GptOss.Generation;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary>
/// How long the work on a request goes on after its cancellation, behind short and long contexts, alone and beside
/// requests that decode.
/// </summary>
/// <remarks>
/// Time counts from the call that cancels to the moment when the scheduler has ended the pass and the request, and is
/// free for other work. The context is not computed: its keys and values are those of <see cref="LongContext"/>.
/// </remarks>
internal sealed class Cancels : IDisposable
{
    /// <summary>How many requests decode beside the one that is cancelled.</summary>
    public const int StreamsBeside = 3;

    private const int Tries = 4; // of each repetition

    // The longest wait from the beginning of a request to its cancellation: some passes of a decoding request, and the
    // first layers of a chunk of a prompt.
    private const int MostMilliseconds = 500;

    private readonly Engine _engine;
    private readonly Scheduler _scheduler;
    private readonly MeterListener _listener = new();
    private readonly Random _random = new(7);
    private readonly CancellationToken _stop;
    private TaskCompletionSource<long> _ended = new();

    /// <param name="engine">The engine of the model.</param>
    /// <param name="stop">Ends the measurement early.</param>
    public Cancels(Engine engine, CancellationToken stop)
    {
        _engine = engine;
        _stop = stop;
        _scheduler = new Scheduler(engine, new ModelOptions { MaxRunning = StreamsBeside + 1 });
        // The scheduler's loop counts a request when the request's pass has ended and its pages are released.
        _listener.SetMeasurementEventCallback<long>((_, _, _, _) => _ended.TrySetResult(Stopwatch.GetTimestamp()));
        _listener.EnableMeasurementEvents(engine.Instruments.Requests);
        _listener.Start();
    }

    /// <summary>The contexts that are measured where none is asked for, if the model has room for them.</summary>
    public static int[] Contexts(int contextLength) =>
        [
            .. ((int[])[LongContext.Short, 32_768, 131_072])
                .Select(context => Math.Min(context, contextLength - Room))
                .Where(context => context > 0)
                .Distinct(),
        ];

    /// <summary>Tokens behind the context: those of a chunk that is prefilled, and some of an answer.</summary>
    public const int Room = 2 * PassBudget.ChunkRows;

    /// <summary>Cancels requests behind a context at random moments.</summary>
    /// <param name="context">Tokens of the context.</param>
    /// <param name="repetitions">How often four requests of each kind are cancelled.</param>
    public IEnumerable<CancelFigures> Run(int context, int repetitions)
    {
        int[] tokens = Tokens(context);
        using (KvSequence sequence = _engine.Cache.NewSequence())
        {
            LongContext.Fill(_engine, sequence, context, _stop);
            _scheduler.Prefixes.Keep(sequence, tokens, scope: null, isComplete: true);
        }
        foreach (int beside in (int[])[0, StreamsBeside])
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop);
            TaskCompletionSource[] begun = [.. Enumerable.Range(0, beside).Select(_ => new TaskCompletionSource())];
            Task[] streams = [.. begun.Select(first => DecodeAsync(Tokens(32), first, end.Token))];
            // A stream that fails has no first token.
            Task.WhenAll(begun.Zip(streams, (first, stream) => Task.WhenAny(first.Task, stream))).Wait(_stop);
            foreach (int rows in (int[])[1, PassBudget.ChunkRows])
            {
                double[] milliseconds = new double[Tries * repetitions];
                for (int i = 0; i < milliseconds.Length; i++)
                    milliseconds[i] = CancelAsync([.. tokens, .. Tokens(rows)], rows).GetAwaiter().GetResult();
                yield return new CancelFigures
                {
                    ContextTokens = context,
                    Rows = rows,
                    StreamsBeside = beside,
                    MedianMs = Median.Of(milliseconds),
                    WorstMs = milliseconds.Max(),
                };
            }
            end.Cancel();
            Task.WhenAll(streams).GetAwaiter().GetResult();
        }
        _scheduler.Prefixes.Clear();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _scheduler.Dispose();
    }

    // A request that reads many rows is cancelled while it does; one of a single row decodes by then. One that came to
    // its end before is over at once.
    private async Task<double> CancelAsync(int[] prompt, int rows)
    {
        _ended = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_stop);
        using Sequence sequence = _scheduler.Submit(
            new GenerationRequest { Prompt = prompt, PromptRead = rows == 1 ? null : _ => begun.TrySetResult() },
            cancel.Token
        );
        Task reading = ReadAsync(sequence, begun, cancel.Token);
        await begun.Task.WaitAsync(_stop).ConfigureAwait(false);
        await Task.Delay(_random.Next(MostMilliseconds), _stop).ConfigureAwait(false);
        long cancelled = Stopwatch.GetTimestamp();
        await cancel.CancelAsync().ConfigureAwait(false);
        long end = await _ended.Task.WaitAsync(_stop).ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        return Math.Max(0, Stopwatch.GetElapsedTime(cancelled, end).TotalMilliseconds);
    }

    private async Task DecodeAsync(int[] prompt, TaskCompletionSource begun, CancellationToken end)
    {
        using Sequence sequence = _scheduler.Submit(new GenerationRequest { Prompt = prompt }, end);
        await ReadAsync(sequence, begun, end).ConfigureAwait(false);
    }

    private static async Task ReadAsync(Sequence sequence, TaskCompletionSource begun, CancellationToken end)
    {
        try
        {
            await foreach (GeneratedToken _ in sequence.ReadAsync(end).ConfigureAwait(false))
                begun.TrySetResult();
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested) { }
    }

    private int[] Tokens(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => _random.Next(_engine.Weights.Config.VocabSize))];
}

/// <summary>How long the work on cancelled requests of one kind went on.</summary>
internal sealed record CancelFigures
{
    public required int ContextTokens { get; init; }

    /// <summary>Tokens of the prompt behind the context: with 1 the request decodes, with 512 it reads them.</summary>
    public required int Rows { get; init; }

    /// <summary>Requests that decoded beside the cancelled one.</summary>
    public required int StreamsBeside { get; init; }
    public required double MedianMs { get; init; }
    public required double WorstMs { get; init; }
}
