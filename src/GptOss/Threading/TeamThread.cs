namespace GptOss.Threading;

/// <summary>
/// Starts the threads of a model. All are started while the model is loaded, so that no request can fail for the want
/// of a thread.
/// </summary>
internal static class TeamThread
{
    /// <summary>
    /// Called before each start; a test puts something here that fails. It flows with the calls of that test alone.
    /// </summary>
    internal static AsyncLocal<Action<Thread>?> Starting { get; } = new();

    /// <summary>Starts a thread in the background, which carries nobody's ExecutionContext.</summary>
    /// <param name="name">The thread's name, for debuggers.</param>
    /// <param name="run">What the thread does; it must not throw.</param>
    /// <exception cref="InsufficientMemoryException">The system starts no more threads.</exception>
    public static Thread Start(string name, ThreadStart run)
    {
        var thread = new Thread(run) { IsBackground = true, Name = name };
        try
        {
            Starting.Value?.Invoke(thread);
            thread.UnsafeStart();
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
            throw new InsufficientMemoryException(
                $"The system starts no more threads: '{name}' could not be started. Set ModelOptions.Threads to fewer, "
                    + "or raise the limit of the process or its container.",
                error
            );
        }
        return thread;
    }
}
