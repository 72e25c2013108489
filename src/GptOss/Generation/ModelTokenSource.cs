using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// Makes answers with an opened model. Owns all that this takes: the folder, the engine over its weights, and the
/// scheduler over the engine.
/// </summary>
internal sealed class ModelTokenSource : ITokenSource, IDisposable
{
    private readonly Scheduler _scheduler;
    private bool _disposed;

    /// <param name="folder">The opened model, which this object disposes.</param>
    /// <param name="options">Number of threads, context length, and format of keys and values.</param>
    public ModelTokenSource(ModelFolder folder, ModelOptions options)
    {
        Folder = folder;
        int context = options.ContextLength ?? folder.DefaultContextLength;
        long budget = options.KvCacheBytes ?? folder.DefaultBudget(options);
        Engine = new Engine(
            folder.Weights,
            options.Threads ?? Environment.ProcessorCount,
            context,
            new KvCache(folder.Config, options.KeyValueFormat, budget),
            folder.ExplainFault
        )
        {
            ModelName = folder.Name,
        };
        Budget = BudgetFigures.Of(Engine.Cache.Pool.Groups, budget, isDefault: options.KvCacheBytes is null);
        try
        {
            _scheduler = new Scheduler(Engine, options);
            Saved = new PrefixStore(
                Engine,
                _scheduler.Prefixes,
                options.Precision,
                folder.Fingerprint,
                _scheduler.LookAgain
            );
        }
        catch
        {
            Engine.Dispose(); // the system has no more threads
            throw;
        }
    }

    /// <summary>The opened model that answers are computed from.</summary>
    public ModelFolder Folder { get; }

    public Engine Engine { get; }

    /// <summary>What the keys and values of all requests may take.</summary>
    public BudgetFigures Budget { get; }

    /// <summary>Writes prefixes to streams and reads them back.</summary>
    public PrefixStore Saved { get; }

    /// <summary>Whether a request that came now would be refused, since as many wait as may wait.</summary>
    public bool IsFull => _scheduler.IsFull;

    /// <inheritdoc/>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public QueuePlace Reserve() => Volatile.Read(ref _disposed) ? throw Engine.Disposed() : _scheduler.Reserve();

    /// <summary>Begins to work on a request, after a check that the files are unchanged.</summary>
    /// <exception cref="CheckpointException">A file of the model was changed since it was opened.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ITokenStream Submit(GenerationRequest request, CancellationToken cancellation, QueuePlace? place = null)
    {
        if (Volatile.Read(ref _disposed))
            throw Engine.Disposed();
        Folder.ThrowIfChanged();
        return new ForgettableStream(_scheduler.Submit(request, cancellation, place));
    }

    /// <summary>Takes over the keys and values that <see cref="ComputeAsync"/> computes.</summary>
    public PageHandover NewHandover() => new(_scheduler.LookAgain);

    /// <summary>
    /// Computes the keys and values of a prompt's tokens but the last, whose logits a later request computes itself.
    /// </summary>
    /// <param name="prompt">The prompt, at least two tokens.</param>
    /// <param name="scope">The scope in which a known beginning is found; null for the shared one.</param>
    /// <param name="handover">Holds the keys and values from then on.</param>
    /// <param name="cancellation">Ends the work, also while the request waits.</param>
    /// <returns>The tokens whose keys and values were handed over.</returns>
    public async Task<IReadOnlyList<int>> ComputeAsync(
        IReadOnlyList<int> prompt,
        string? scope,
        PageHandover handover,
        CancellationToken cancellation
    )
    {
        var request = new GenerationRequest
        {
            Prompt = [.. prompt.SkipLast(1)],
            Sampling = SamplingOptions.Greedy,
            MaxTokens = 1,
            Scope = scope,
            Handover = handover,
        };
        using ITokenStream stream = Submit(request, cancellation);
        await foreach (GeneratedToken _ in stream.ReadAsync(cancellation).ConfigureAwait(false)) { }
        // Without an error nothing is handed over where the memory was full before the prompt was read.
        if (handover.Given is null)
            throw ContextLengthException.NoPages(
                prompt.Count,
                Engine.Cache.BytesFor(prompt.Count, PassBudget.ChunkRows),
                Engine.Cache.Pool.BudgetBytes,
                PageGroup.MeanBytes(Engine.Cache.Pool.Groups)
            );
        return request.Prompt;
    }

    /// <summary>
    /// Ends the requests under way, waits for the pass that runs, and lets go of threads, memory and files.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        Saved.Close();
        Engine.Close();
        _scheduler.Dispose();
        Engine.Dispose();
        Folder.Dispose();
    }
}
