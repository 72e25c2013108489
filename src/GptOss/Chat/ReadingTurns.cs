namespace GptOss.Chat;

/// <summary>
/// Lets requests be read on the threads of the pool, a few at a time. The others wait: the scopes take turns, and
/// within a scope the request that came first is read first. Thread-safe.
/// </summary>
/// <remarks>
/// To encode a long history or to compile a schema takes up to seconds of a processor. Who has a hundred of them read
/// holds up its own requests, and those of another scope by about one reading.
/// </remarks>
/// <param name="places">How many requests are read at the same time.</param>
internal sealed class ReadingTurns(int places)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Line> _lines = []; // the scope whose turn is next comes first
    private int _free = places;

    /// <summary>
    /// The turns of all clients, since they share the processors and the pool's threads. One processor is left to
    /// everything else, such as the answers of a server.
    /// </summary>
    public static ReadingTurns OfProcess { get; } = new(Math.Max(1, Environment.ProcessorCount - 1));

    /// <summary>Reads a request when it is its turn.</summary>
    /// <param name="scope">Whose request it is; null is a scope, too.</param>
    /// <param name="read">Reads the request, on a thread of the pool.</param>
    /// <param name="stop">Ends the wait at once, for the reading as well.</param>
    public async Task<T> RunAsync<T>(string? scope, Func<T> read, CancellationToken stop)
    {
        if (TryEnter(scope, stop) is { } waiting)
            using (stop.UnsafeRegister(static waiting => ((ReadingWait)waiting!).Leave(), waiting))
                await waiting.Turn.ConfigureAwait(false);
        // In the pool's common queue, because its local ones take the latest call first.
        Task<T> reading = Task.Factory.StartNew(
            read,
            stop,
            TaskCreationOptions.PreferFairness | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default
        );
        // Also where the reading was cancelled before it began.
        _ = reading.ContinueWith(
            static (_, turns) => ((ReadingTurns)turns!).Leave(),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        return await reading.WaitAsync(stop).ConfigureAwait(false);
    }

    // Null where a place was free.
    private ReadingWait? TryEnter(string? scope, CancellationToken stop)
    {
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return null;
            }
            Line? line = _lines.FirstOrDefault(line => line.Scope == scope);
            if (line is null)
                _lines.AddLast(line = new Line(scope));
            var waiting = new ReadingWait(this, line, stop);
            line.Requests.Add(waiting);
            return waiting;
        }
    }

    private void Leave()
    {
        ReadingWait next;
        lock (_lock)
        {
            if (_lines.First is not { } first)
            {
                _free++;
                return;
            }
            next = first.Value.Requests[0];
            first.Value.Requests.RemoveAt(0);
            _lines.Remove(first);
            if (first.Value.Requests.Count > 0)
                _lines.AddLast(first);
        }
        next.Begin();
    }

    private sealed class Line(string? scope)
    {
        public string? Scope => scope;

        public List<ReadingWait> Requests { get; } = [];
    }

    private sealed class ReadingWait(ReadingTurns turns, Line line, CancellationToken stop)
    {
        private readonly TaskCompletionSource _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Turn => _turn.Task;

        public void Begin() => _turn.SetResult();

        public void Leave()
        {
            lock (turns._lock)
            {
                if (!line.Requests.Remove(this))
                    return; // its turn has come
                if (line.Requests.Count == 0)
                    turns._lines.Remove(line);
            }
            _turn.SetCanceled(stop);
        }
    }
}
