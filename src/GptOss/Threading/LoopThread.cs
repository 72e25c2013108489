using System.Runtime.CompilerServices;

namespace GptOss.Threading;

/// <summary>Work that a <see cref="LoopThread"/> does whenever it is woken.</summary>
internal interface ILoop
{
    /// <summary>Does all work that there is, and returns when there is none. An exception is lost.</summary>
    void Work();

    /// <summary>
    /// Told once when no work has come for long after some was done. An exception is lost.
    /// </summary>
    void Rest();
}

/// <summary>
/// A thread that is made once and sleeps until there is work, so that nothing has to be started, and so that nothing
/// can fail to start, when a request arrives.
/// </summary>
/// <remarks>
/// While the thread sleeps it knows the owner of the work by a weak reference only: an owner that everybody has
/// forgotten can be collected, and its finalizer, or <see cref="Dispose"/>, ends the thread. From a wake on until the
/// work is done the owner is held, since whoever waits for the work may be known to nobody but the owner. After the
/// work the thread wakes by itself once, to let the owner rest, and then only for work. The thread carries nobody's
/// ExecutionContext.
/// </remarks>
internal sealed class LoopThread : IDisposable
{
    private readonly Gate _gate = new();
    private readonly WeakReference<ILoop> _owner;
    private readonly Thread _thread;

    /// <param name="owner">Does the work, on the thread alone.</param>
    /// <param name="name">The thread's name, for debuggers.</param>
    /// <param name="restAfter">How long no work has come when the owner is let rest.</param>
    /// <exception cref="InsufficientMemoryException">The system starts no more threads.</exception>
    public LoopThread(ILoop owner, string name, TimeSpan restAfter)
    {
        WeakReference<ILoop> known = _owner = new WeakReference<ILoop>(owner);
        Gate gate = _gate;
        try
        {
            _thread = TeamThread.Start(name, () => Run(gate, known, restAfter));
        }
        catch
        {
            GC.SuppressFinalize(this); // there is no thread to end
            throw;
        }
    }

    ~LoopThread() => _gate.Close();

    /// <summary>Whether the caller runs on this thread.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>Lets the thread look for work, now or when it is done with what it does.</summary>
    public void Wake()
    {
        if (_owner.TryGetTarget(out ILoop? owner))
            _gate.Open(owner);
    }

    /// <summary>Ends the thread after the work it does, and waits for that unless the caller is the thread.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _gate.Close();
        if (!IsCurrent)
            _thread.Join();
    }

    private static void Run(Gate gate, WeakReference<ILoop> owner, TimeSpan restAfter)
    {
        TimeSpan patience = Timeout.InfiniteTimeSpan;
        while (gate.Wait(patience, out bool isOpen))
        {
            if (isOpen)
                Work(gate);
            else
                Rest(owner);
            patience = isOpen ? restAfter : Timeout.InfiniteTimeSpan;
        }
    }

    // Apart from Run, so that no register of the sleeping thread holds the owner.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Work(Gate gate)
    {
        try
        {
            gate.Pass()?.Work();
        }
        catch (Exception)
        {
            // The owner tells its callers what went wrong. An exception that left this thread would end the process.
        }
    }

    // Apart from Run for the reason that Work is.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rest(WeakReference<ILoop> known)
    {
        try
        {
            if (known.TryGetTarget(out ILoop? owner))
                owner.Rest();
        }
        catch (Exception)
        {
            // The process goes on, and so does the thread.
        }
    }

    /// <summary>Where the thread sleeps. Several wakings before it looks count as one.</summary>
    private sealed class Gate
    {
        private readonly object _lock = new();
        private ILoop? _woken;
        private bool _isClosed;

        /// <summary>Opens the gate for an owner, which is held until the thread passes.</summary>
        public void Open(ILoop owner)
        {
            lock (_lock)
            {
                _woken = owner;
                Monitor.Pulse(_lock);
            }
        }

        public void Close()
        {
            lock (_lock)
            {
                _isClosed = true;
                Monitor.Pulse(_lock);
            }
        }

        /// <summary>Sleeps until the gate is opened, or for the given time; false when it is closed for good.</summary>
        public bool Wait(TimeSpan patience, out bool isOpen)
        {
            lock (_lock)
            {
                bool isPatient = true;
                while (_woken is null && !_isClosed && isPatient)
                    isPatient = Monitor.Wait(_lock, patience);
                isOpen = _woken is not null;
                return !_isClosed;
            }
        }

        /// <summary>Shuts the gate behind the thread, and gives the owner for whom it was opened.</summary>
        public ILoop? Pass()
        {
            lock (_lock)
            {
                ILoop? owner = _woken;
                _woken = null;
                return owner;
            }
        }
    }
}
