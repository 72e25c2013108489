using System.Runtime.CompilerServices;

namespace GptOss.Threading;

/// <summary>Work that a <see cref="LoopThread"/> does whenever it is woken.</summary>
internal interface ILoop
{
    /// <summary>Does all work that there is, and returns when there is none. An exception is lost.</summary>
    void Work();
}

/// <summary>
/// A thread that is made once and sleeps until there is work, so that nothing has to be started, and so that nothing
/// can fail to start, when a request arrives.
/// </summary>
/// <remarks>
/// While the thread sleeps it knows the owner of the work by a weak reference only: an owner that everybody has
/// forgotten can be collected, and its finalizer, or <see cref="Dispose"/>, ends the thread. The thread carries
/// nobody's ExecutionContext.
/// </remarks>
internal sealed class LoopThread : IDisposable
{
    private readonly Gate _gate = new();
    private readonly Thread _thread;

    /// <param name="owner">Does the work, on the thread alone.</param>
    /// <param name="name">The thread's name, for debuggers.</param>
    /// <exception cref="OutOfMemoryException">The system has no more threads.</exception>
    public LoopThread(ILoop owner, string name)
    {
        var forgettable = new WeakReference<ILoop>(owner);
        Gate gate = _gate;
        _thread = new Thread(() => Run(gate, forgettable)) { IsBackground = true, Name = name };
        _thread.UnsafeStart();
    }

    ~LoopThread() => _gate.Close();

    /// <summary>Whether the caller runs on this thread.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>Lets the thread look for work, now or when it is done with what it does.</summary>
    public void Wake() => _gate.Open();

    /// <summary>Ends the thread after the work it does, and waits for that unless the caller is the thread.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _gate.Close();
        if (!IsCurrent)
            _thread.Join();
    }

    private static void Run(Gate gate, WeakReference<ILoop> owner)
    {
        while (gate.Wait())
            if (!TryWork(owner))
                return;
    }

    // Apart from Run, so that no register of the sleeping thread holds the owner.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryWork(WeakReference<ILoop> owner)
    {
        if (!owner.TryGetTarget(out ILoop? loop))
            return false;
        try
        {
            loop.Work();
        }
        catch (Exception)
        {
            // The owner tells its callers what went wrong. An exception that left this thread would end the process.
        }
        return true;
    }

    /// <summary>Where the thread sleeps. Several wakings before it looks count as one.</summary>
    private sealed class Gate
    {
        private readonly object _lock = new();
        private bool _isOpen;
        private bool _isClosed;

        public void Open()
        {
            lock (_lock)
            {
                _isOpen = true;
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

        /// <summary>Sleeps until the gate is opened; false when it is closed for good.</summary>
        public bool Wait()
        {
            lock (_lock)
            {
                while (!_isOpen && !_isClosed)
                    Monitor.Wait(_lock);
                _isOpen = false;
                return !_isClosed;
            }
        }
    }
}
