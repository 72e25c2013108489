using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace GptOss.Threading;

/// <summary>A fixed team of threads that runs one piece of work at a time over ranges of items.</summary>
/// <remarks>
/// The caller works too and returns when all is done. Items are handed out in order, in ever shorter pieces, so that a thread the
/// system holds up delays the others little; which thread takes which items changes no result. Between two pieces of work the
/// threads spin for some microseconds, then sleep. Not for concurrent callers: an engine runs one forward pass at a time.
/// </remarks>
internal sealed unsafe class WorkerTeam : IDisposable
{
    /// <summary>Longer than the gap between two kernels of a forward pass; an idle process stops burning CPU after it.</summary>
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000;   // 50 µs

    /// <summary>A piece is this part of a worker's share of what is left: long runs of memory first, short ones to even out the end.</summary>
    private const int ShareDivisor = 3;

    private readonly Thread[] _threads;
    private readonly object _wake = new();
    private delegate*<void*, int, int, int, void> _body;
    private void* _state;
    private int _items;
    private int _smallest;
    private int _next;
    private int _working;
    private int _generation;
    private int _asleep;
    private bool _closed;
    private ExceptionDispatchInfo? _fault;

    /// <param name="workers">Threads in all, the caller's among them.</param>
    public WorkerTeam(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        Workers = workers;
        _threads = new Thread[workers - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"GptOss worker {worker}" };
            _threads[i].Start();
        }
    }

    public int Workers { get; }

    /// <summary>Calls <paramref name="body"/>(state, worker, first, end) until every item of 0 to <paramref name="items"/> was in one range.</summary>
    /// <param name="items">Count of items.</param>
    /// <param name="minimumPerWorker">Ranges are at least so long; with fewer items than two of them the caller works alone.</param>
    /// <param name="body">The worker's number tells which scratch memory is its own.</param>
    /// <param name="state">Handed to the body; must stay valid until this returns.</param>
    public void ForRows(int items, int minimumPerWorker, delegate*<void*, int, int, int, void> body, void* state)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (items <= 0) return;
        if (Workers == 1 || items < 2 * minimumPerWorker)
        {
            body(state, 0, 0, items);
            return;
        }

        _body = body;
        _state = state;
        _items = items;
        _smallest = Math.Max(1, minimumPerWorker);
        _next = 0;
        _working = _threads.Length;
        BeginGeneration();   // publishes all of the above

        TakePieces(0);
        var spin = new SpinWait();
        while (Volatile.Read(ref _working) > 0) spin.SpinOnce(sleep1Threshold: -1);
        _body = null;
        _state = null;
        if (Interlocked.Exchange(ref _fault, null) is { } fault) fault.Throw();
    }

    public void Dispose()
    {
        if (_closed) return;
        Volatile.Write(ref _closed, true);
        BeginGeneration();
        foreach (Thread thread in _threads) thread.Join();
    }

    private void BeginGeneration()
    {
        Interlocked.Increment(ref _generation);
        if (Volatile.Read(ref _asleep) == 0) return;
        lock (_wake) Monitor.PulseAll(_wake);
    }

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            seen = AwaitGeneration(seen);
            if (Volatile.Read(ref _closed)) return;
            TakePieces(worker);
            Interlocked.Decrement(ref _working);
        }
    }

    private int AwaitGeneration(int seen)
    {
        long deadline = Stopwatch.GetTimestamp() + SpinTicks;
        while (true)
        {
            int now = Volatile.Read(ref _generation);
            if (now != seen) return now;
            if (Stopwatch.GetTimestamp() >= deadline) return SleepUntilGeneration(seen);
            Thread.SpinWait(8);
        }
    }

    // Who sleeps looks at the generation itself under the lock. Counted permits would not do: a thread that is done and
    // tired again could take the permit of one that the system has not let wake up yet.
    private int SleepUntilGeneration(int seen)
    {
        lock (_wake)
        {
            Interlocked.Increment(ref _asleep);   // before the look: either it finds the new generation, or that one finds a sleeper
            int now;
            while ((now = Volatile.Read(ref _generation)) == seen) Monitor.Wait(_wake);
            Interlocked.Decrement(ref _asleep);
            return now;
        }
    }

    private void TakePieces(int worker)
    {
        try
        {
            while (true)
            {
                int first = Volatile.Read(ref _next), rest = _items - first;
                if (rest <= 0) return;
                int piece = Math.Min(rest, Math.Max(_smallest, rest / (ShareDivisor * Workers)));
                if (Interlocked.CompareExchange(ref _next, first + piece, first) == first) _body(_state, worker, first, first + piece);
            }
        }
        catch (Exception fault)
        {
            Interlocked.CompareExchange(ref _fault, ExceptionDispatchInfo.Capture(fault), null);
        }
    }
}
