using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace GptOss.Threading;

/// <summary>A fixed team of threads that runs one piece of work at a time over ranges of items.</summary>
/// <remarks>
/// The caller works too and returns when all is done. Items are handed out in order, in ever shorter pieces, so that a
/// thread the system holds up delays the others little; which thread takes which items changes no result. The caller
/// waits only for threads that have taken a piece, and no more threads are awake than the machine has processors: the
/// surplus of a team that is too large sleeps. Between two pieces of work the threads spin for some microseconds, then
/// sleep. Not for concurrent callers: an engine runs one forward pass at a time. The threads of a team that nobody
/// closed end once it is collected.
/// </remarks>
internal sealed unsafe class WorkerTeam : IDisposable
{
    // The threads know the crew and not the team, so that a forgotten team can be collected while they sleep.
    private readonly Crew _crew;
    private readonly Thread[] _threads;

    /// <param name="workers">Threads in all, the caller's among them.</param>
    public WorkerTeam(int workers)
        : this(workers, Environment.ProcessorCount) { }

    /// <param name="workers">Threads in all, the caller's among them.</param>
    /// <param name="processors">So many threads at most are awake, the caller's among them.</param>
    internal WorkerTeam(int workers, int processors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(processors, 1);
        Workers = workers;
        _threads = new Thread[workers - 1];
        Crew crew = _crew = new Crew(_threads.Length, Math.Min(_threads.Length, processors - 1));
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => crew.Work(worker)) { IsBackground = true, Name = $"GptOss worker {worker}" };
            _threads[i].Start();
        }
    }

    ~WorkerTeam() => _crew?.Close();

    public int Workers { get; }

    /// <summary>
    /// Calls <paramref name="body"/>(state, worker, first, end) until every item of 0 to <paramref name="items"/> was
    /// in one range.
    /// </summary>
    /// <param name="items">Count of items.</param>
    /// <param name="minimumPerWorker">Ranges are at least so long; with fewer items than two of them the caller works
    /// alone.</param>
    /// <param name="body">The worker's number tells which scratch memory is its own.</param>
    /// <param name="state">Handed to the body; must stay valid until this returns.</param>
    public void ForRows(int items, int minimumPerWorker, delegate* <void*, int, int, int, void> body, void* state)
    {
        ObjectDisposedException.ThrowIf(_crew.IsClosed, this);
        if (items <= 0)
            return;
        if (Workers == 1 || items < 2 * minimumPerWorker)
            body(state, 0, 0, items);
        else
            _crew.Run(items, Math.Max(1, minimumPerWorker), body, state);
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _crew.Close();
        foreach (Thread thread in _threads)
            thread.Join();
    }

    /// <summary>What the caller and the threads share: the work, and who is awake.</summary>
    /// <param name="threads">All of them are awake at first.</param>
    /// <param name="wanted">So many of them may stay awake.</param>
    private sealed class Crew(int threads, int wanted)
    {
        /// <summary>
        /// Longer than the gap between two kernels of a forward pass; an idle process stops burning CPU after it.
        /// </summary>
        private static readonly long SpinTicks = Stopwatch.Frequency / 20_000; // 50 µs

        /// <summary>
        /// A piece is this part of a worker's share of what is left: long runs of memory first, short ones to even out
        /// the end.
        /// </summary>
        private const int ShareDivisor = 3;

        private readonly object _wake = new();
        private delegate* <void*, int, int, int, void> _body;
        private void* _state;
        private int _items;
        private int _smallest;

        // The upper half numbers the work, the lower half counts the items that nobody has taken yet. While it is above
        // zero the caller stays, so a thread that exchanges this word took its item with the body and the state that
        // belong to it; one that slept over the end of a work finds another number and exchanges nothing.
        private long _untaken;
        private int _done;
        private ExceptionDispatchInfo? _fault;

        private int _awake = threads; // or called and not up yet
        private int _calls;
        private bool _closed;

        public bool IsClosed => Volatile.Read(ref _closed);

        /// <summary>The caller's part: announces the work, takes pieces, and waits for the pieces of others.</summary>
        public void Run(int items, int smallest, delegate* <void*, int, int, int, void> body, void* state)
        {
            _body = body;
            _state = state;
            _items = items;
            _smallest = smallest;
            _done = 0;
            uint number = (uint)(_untaken >> 32) + 1;
            Interlocked.Exchange(ref _untaken, (long)((ulong)number << 32) | (uint)items); // publishes all of the above
            Call(Math.Min(wanted, (items - 1) / smallest));

            TakePieces(0);
            var spin = new SpinWait();
            while (Volatile.Read(ref _done) < items)
                spin.SpinOnce(sleep1Threshold: -1);
            if (Interlocked.Exchange(ref _fault, null) is { } fault)
                fault.Throw();
        }

        public void Close()
        {
            Volatile.Write(ref _closed, true);
            lock (_wake)
                Monitor.PulseAll(_wake);
        }

        /// <summary>A thread's part, until the team is closed.</summary>
        public void Work(int worker)
        {
            while (AwaitWork())
                TakePieces(worker);
        }

        /// <summary>Wakes threads until so many are up.</summary>
        private void Call(int helpers)
        {
            if (Volatile.Read(ref _awake) >= helpers)
                return;
            lock (_wake)
            {
                for (; _awake < helpers; _awake++)
                {
                    _calls++;
                    Monitor.Pulse(_wake);
                }
            }
        }

        /// <summary>Returns when there is something to take, or false when the team is closed.</summary>
        private bool AwaitWork()
        {
            long deadline = Stopwatch.GetTimestamp() + SpinTicks;
            while (!Volatile.Read(ref _closed))
            {
                if (Volatile.Read(ref _awake) > wanted || Stopwatch.GetTimestamp() >= deadline)
                {
                    Sleep();
                    deadline = Stopwatch.GetTimestamp() + SpinTicks;
                }
                else if ((int)Volatile.Read(ref _untaken) != 0)
                    return true;
                else
                    Thread.SpinWait(8);
            }
            return false;
        }

        private void Sleep()
        {
            lock (_wake)
            {
                // Before the look: either it finds the new work, or the work's caller finds one awake less and calls.
                Interlocked.Decrement(ref _awake);
                if ((int)Volatile.Read(ref _untaken) != 0 && _awake < wanted)
                {
                    _awake++;
                    return;
                }
                while (_calls == 0 && !_closed)
                    Monitor.Wait(_wake);
                if (_calls > 0)
                    _calls--;
            }
        }

        private void TakePieces(int worker)
        {
            int done = 0;
            while (true)
            {
                long untaken = Volatile.Read(ref _untaken);
                int rest = (int)untaken,
                    first = _items - rest;
                if (rest == 0)
                    break;
                int piece = Math.Min(rest, Math.Max(_smallest, rest / (ShareDivisor * (wanted + 1))));
                delegate* <void*, int, int, int, void> body = _body;
                void* state = _state;
                if (Interlocked.CompareExchange(ref _untaken, untaken - piece, untaken) != untaken)
                    continue;
                done += piece;
                try
                {
                    body(state, worker, first, first + piece);
                }
                catch (Exception fault)
                {
                    Interlocked.CompareExchange(ref _fault, ExceptionDispatchInfo.Capture(fault), null);
                    done += TakeAll();
                }
            }
            if (done > 0)
                Interlocked.Add(ref _done, done);
        }

        /// <summary>Leaves nothing for anybody, as after a fault; returns how many items that were.</summary>
        private int TakeAll()
        {
            while (true)
            {
                long untaken = Volatile.Read(ref _untaken);
                int rest = (int)untaken;
                if (rest == 0 || Interlocked.CompareExchange(ref _untaken, untaken - rest, untaken) == untaken)
                    return rest;
            }
        }
    }
}
