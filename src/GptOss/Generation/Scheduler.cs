namespace GptOss.Generation;

/// <summary>Runs all sequences, one pass of one sequence after the other, as long as there are any.</summary>
/// <remarks>
/// The loop decides when a step is taken, never a reader. It is a thread of its own while sequences are active, and
/// nothing otherwise. Prompts go in chunks and take turns with the decoding of others.
/// </remarks>
internal sealed class Scheduler(Engine engine) : IDisposable
{
    private readonly List<Sequence> _arrived = [];
    private readonly SemaphoreSlim _changed = new(0);
    private Task _loop = Task.CompletedTask;
    private bool _running;
    private int _waiting;
    private int _loopThread;

    /// <summary>Checks the request and hands it to the loop.</summary>
    /// <exception cref="ContextLengthException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="ArgumentException">The prompt is empty or holds an id outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Sequence Submit(GenerationRequest request, CancellationToken cancellation)
    {
        Check(request);
        if (engine.Closing.IsCancellationRequested)
            throw engine.Disposed();
        cancellation.ThrowIfCancellationRequested();
        var sequence = new Sequence(request, this, engine, cancellation);
        lock (_arrived)
        {
            _arrived.Add(sequence);
            if (!_running)
            {
                _running = true;
                _loop = Task.Factory.StartNew(
                    Run,
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                );
            }
        }
        Wake();
        return sequence;
    }

    /// <summary>Tells a loop that has nothing to do to look again.</summary>
    internal void Wake()
    {
        if (Interlocked.Exchange(ref _waiting, 0) == 1)
            _changed.Release();
    }

    /// <summary>
    /// Waits for the loop, which the engine's closing has told to end; the loop itself, in a listener's code, does not.
    /// </summary>
    public void Dispose()
    {
        Wake();
        if (Volatile.Read(ref _loopThread) == Environment.CurrentManagedThreadId)
            return;
        Task loop;
        lock (_arrived)
            loop = _loop;
        loop.Wait();
    }

    private void Run()
    {
        var active = new List<Sequence>();
        Volatile.Write(ref _loopThread, Environment.CurrentManagedThreadId);
        while (true)
        {
            lock (_arrived)
            {
                active.AddRange(_arrived);
                _arrived.Clear();
                if (active.Count == 0)
                {
                    _running = false;
                    Volatile.Write(ref _loopThread, 0);
                    return;
                }
            }

            bool worked = false;
            for (int i = active.Count - 1; i >= 0; i--)
            {
                Sequence sequence = active[i];
                if (!sequence.Stop.IsCancellationRequested && !sequence.HasRoom)
                    continue;
                worked = true;
                if (Step(sequence))
                    continue;
                sequence.Release();
                active.RemoveAt(i);
            }
            if (!worked)
                AwaitChange(active);
        }
    }

    // All readers are behind. The flag is up before the last look, so a reader that takes a token after that look wakes
    // us.
    private void AwaitChange(List<Sequence> active)
    {
        Interlocked.Exchange(ref _waiting, 1);
        lock (_arrived)
            if (_arrived.Count > 0)
                Wake();
        foreach (Sequence sequence in active)
            if (sequence.HasRoom || sequence.Stop.IsCancellationRequested)
                Wake();
        _changed.Wait();
    }

    /// <summary>One chunk of a prompt or one token; false when the sequence has ended.</summary>
    private bool Step(Sequence sequence)
    {
        try
        {
            sequence.Begin();
            sequence.Stop.ThrowIfCancellationRequested();
            if (sequence.TryTakeDictated(out int dictated))
                return sequence.Append(new GeneratedToken(dictated), engine.ContextLength);
            GeneratedToken? token = engine.Step(sequence);
            sequence.TellProgress();
            return token is not { } next || sequence.Append(next, engine.ContextLength);
        }
        catch (OperationCanceledException)
        {
            // The reader's own cancellation has told it already; otherwise the model was closed.
            sequence.Fail(engine.Disposed());
            return false;
        }
        catch (Exception error)
        {
            sequence.Fail(error); // a fault of one sequence ends that one
            return false;
        }
    }

    private void Check(GenerationRequest request)
    {
        if (request.Prompt.Count == 0)
            throw new ArgumentException("The prompt is empty.", nameof(request));
        if (request.Prompt.Count >= engine.ContextLength)
            throw new ContextLengthException(request.Prompt.Count, engine.ContextLength);
        int vocabulary = engine.Weights.Config.VocabSize;
        foreach (int token in request.Prompt)
            if ((uint)token >= (uint)vocabulary)
                throw new ArgumentOutOfRangeException(
                    nameof(request),
                    token,
                    $"Token ids go from 0 to {vocabulary - 1}."
                );
    }
}
