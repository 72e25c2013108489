using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace GptOss.Threading;

/// <summary>
/// A fixed number of threads that share out one job at a time: a job is a function and a number of items, such as the
/// outputs of a matrix, and each thread calls the function with ranges of items until all are done.
/// </summary>
/// <remarks>
/// The caller is one of the workers and returns when the job is done. Items are handed out in order, in ever shorter
/// pieces, so that a thread that the system interrupts delays the others little. Which thread takes which items changes
/// no result. The caller waits only for threads that have taken a piece. No more threads are awake than the machine has
/// processors; the surplus of a team that is too large sleeps. Between two jobs the threads spin for some microseconds,
/// then sleep. There must be one caller at a time: an engine runs one forward pass at a time. If nobody disposes the
/// team, its threads end once it is collected.
/// </remarks>
// Bound: reads nothing through the state; bodies get ranges within the items, which ForItems and PieceSizes cut.
internal sealed unsafe class WorkerTeam : IDisposable
{
    // The threads refer to the crew and not to the team, so that a forgotten team can be collected while they sleep.
    private readonly Crew _crew;
    private readonly List<Thread> _threads = [];

    /// <param name="workers">Number of threads in all, the caller's among them.</param>
    public WorkerTeam(int workers)
        : this(workers, Environment.ProcessorCount) { }

    /// <param name="workers">Number of threads in all, the caller's among them.</param>
    /// <param name="processors">The most threads that are awake, the caller's among them.</param>
    /// <exception cref="InsufficientMemoryException">The system starts no more threads; none runs on.</exception>
    internal WorkerTeam(int workers, int processors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(processors, 1);
        Workers = workers;
        int threads = workers - 1;
        Crew crew = _crew = new Crew(threads, Math.Min(threads, processors - 1));
        try
        {
            for (int i = 1; i < workers; i++)
            {
                int worker = i;
                _threads.Add(TeamThread.Start($"GptOss worker {worker}", () => crew.Work(worker)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    ~WorkerTeam() => _crew?.Close();

    public int Workers { get; }

    /// <summary>
    /// Runs a job: calls <paramref name="body"/>(state, worker, first, end) with ranges that together hold every item
    /// from 0 to <paramref name="items"/> − 1 once, and returns when all calls have.
    /// </summary>
    /// <param name="items">Number of items of the job.</param>
    /// <param name="minimumPerWorker">The least number of items in a range, except the last. With fewer than twice as
    /// many items the caller does the job alone.</param>
    /// <param name="body">Called with the number of the worker, which tells the scratch memory that it may use.</param>
    /// <param name="state">Handed to the body; must stay valid until this returns.</param>
    public void ForItems(int items, int minimumPerWorker, delegate* <void*, int, int, int, void> body, void* state) =>
        ForItems(items, minimumPerWorker, int.MaxValue, body, state, CancellationToken.None);

    /// <summary>
    /// Runs a job that can be stopped: every thread looks at <paramref name="stop"/> before each range of items. A body
    /// whose items take long may also look at it and return early.
    /// </summary>
    /// <param name="items">Number of items of the job.</param>
    /// <param name="minimumPerWorker">The least number of items in a range, except the last.</param>
    /// <param name="most">The largest number of items in a range: what one thread does between two looks.</param>
    /// <param name="body">Called with ranges that together hold every item once, unless the job is stopped.</param>
    /// <param name="state">Handed to the body; must stay valid until this returns.</param>
    /// <param name="stop">Ends the job early; what its items have written is then of no use.</param>
    /// <exception cref="OperationCanceledException">The job was stopped; no thread works on it any more.</exception>
    public void ForItems(
        int items,
        int minimumPerWorker,
        int most,
        delegate* <void*, int, int, int, void> body,
        void* state,
        CancellationToken stop
    )
    {
        ObjectDisposedException.ThrowIf(_crew.IsClosed, this);
        if (items <= 0)
            return;
        if (Workers > 1 && items >= 2 * minimumPerWorker)
            _crew.Run(items, new PieceSizes(Math.Max(1, minimumPerWorker), most), body, state, stop);
        else
            for (int first = 0; first < items && !stop.IsCancellationRequested; first += Math.Min(most, items - first))
                body(state, 0, first, first + Math.Min(most, items - first));
        GC.KeepAlive(this);
        stop.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _crew.Close();
        foreach (Thread thread in _threads)
            thread.Join();
    }

    /// <summary>How many items a thread takes at a time.</summary>
    /// <param name="Smallest">The fewest items, unless fewer are left.</param>
    /// <param name="Largest">The most items; counts before the smallest.</param>
    private readonly record struct PieceSizes(int Smallest, int Largest);

    /// <summary>What the caller and the threads share: the job, and the number of threads that are awake.</summary>
    /// <param name="threads">Number of threads without the caller's, all awake at first.</param>
    /// <param name="wanted">Number of these threads that may stay awake.</param>
    private sealed class Crew(int threads, int wanted)
    {
        /// <summary>
        /// How long a thread without work spins before it sleeps: longer than the gap between two jobs of a forward
        /// pass, and short enough that an idle process uses no processor time.
        /// </summary>
        private static readonly long SpinTicks = Stopwatch.Frequency / 20_000; // 50 µs

        /// <summary>
        /// A piece is a third of a worker's share of the items that are left. With 90 items and 3 workers the first
        /// piece has 10 items, the next 80 / 9 = 8. Long pieces at first read memory in order; short ones at the end
        /// let all workers finish together.
        /// </summary>
        private const int ShareDivisor = 3;

        private readonly object _wake = new();
        private delegate* <void*, int, int, int, void> _body;
        private void* _state;
        private int _items;
        private PieceSizes _sizes;
        private CancellationToken _stop;

        // The upper 32 bits number the job, the lower 32 count the items that nobody has taken yet. The caller stays
        // while the count is above zero. So a thread whose exchange of this word succeeds has read the body, the state
        // and the stop flag of that job. The exchange of a thread that was interrupted until the next job fails,
        // because the number differs.
        private long _untaken;
        private int _done;
        private ExceptionDispatchInfo? _fault;

        private int _awake = threads; // threads that were called but do not run yet are counted
        private int _calls;
        private bool _closed;

        public bool IsClosed => Volatile.Read(ref _closed);

        /// <summary>The caller's part: announces the job, takes pieces, and waits for the pieces of others.</summary>
        public void Run(
            int items,
            PieceSizes sizes,
            delegate* <void*, int, int, int, void> body,
            void* state,
            CancellationToken stop
        )
        {
            _body = body;
            _state = state;
            _items = items;
            _sizes = sizes;
            _stop = stop;
            _done = 0;
            uint number = (uint)(_untaken >> 32) + 1;
            Interlocked.Exchange(ref _untaken, (long)((ulong)number << 32) | (uint)items); // publishes the fields too
            Call(Math.Min(wanted, (items - 1) / sizes.Smallest));

            TakePieces(0);
            var spin = new SpinWait();
            while (Volatile.Read(ref _done) < items)
                spin.SpinOnce(sleep1Threshold: -1);
            _stop = default; // the source of a finished pass need not be kept alive
            if (Interlocked.Exchange(ref _fault, null) is { } fault)
                fault.Throw();
        }

        public void Close()
        {
            Volatile.Write(ref _closed, true);
            lock (_wake)
                Monitor.PulseAll(_wake);
        }

        /// <summary>The part of every other thread: takes pieces of each job until the team is closed.</summary>
        public void Work(int worker)
        {
            while (AwaitWork())
                TakePieces(worker);
        }

        /// <summary>Wakes threads until the given number of them is awake.</summary>
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

        /// <summary>Waits for a job with items to take; false when the team is closed.</summary>
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
                // Counted as asleep before the last look for work: then either this look finds a new job, or the caller
                // of that job finds one thread less awake and calls.
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
                PieceSizes sizes = _sizes;
                int share = Math.Max(sizes.Smallest, rest / (ShareDivisor * (wanted + 1)));
                // A copy, read once: the caller of a job that has ended may clear the field between two reads.
                CancellationToken stop = _stop;
                bool stopped = stop.IsCancellationRequested;
                int piece = stopped ? rest : Math.Min(rest, Math.Min(sizes.Largest, share));
                delegate* <void*, int, int, int, void> body = _body;
                void* state = _state;
                if (Interlocked.CompareExchange(ref _untaken, untaken - piece, untaken) != untaken)
                    continue;
                done += piece;
                if (stopped)
                    break;
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

        /// <summary>
        /// Takes all items that are left, so that a job ends early after a fault; returns their number.
        /// </summary>
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
