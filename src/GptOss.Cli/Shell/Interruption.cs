using System.Runtime.InteropServices;

namespace GptOss.Cli.Shell;

/// <summary>
/// Ctrl+C, a request to terminate, or a closed terminal: cancels the work, and ends the process if that takes too long.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // The engine looks at its stop flag many times a second; reading from a terminal or a slow disk does not.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption() =>
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle),
        ];

    public CancellationToken Token => _source.Token;

    /// <summary>
    /// Asked at Ctrl+C before anything else; true means that it is taken care of and the tool goes on.
    /// </summary>
    public Func<bool>? AtCtrlC { get; set; }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext signal)
    {
        if (signal.Signal == PosixSignal.SIGINT && AtCtrlC?.Invoke() == true)
        {
            signal.Cancel = true;
            return;
        }
        // The second time the system's own way of ending a process is what the person wants.
        if (_source.IsCancellationRequested)
            return;
        signal.Cancel = true;
        _ = EndAfterGrace();
        _source.Cancel();
    }

    private static async Task EndAfterGrace()
    {
        await Task.Delay(Grace).ConfigureAwait(false);
        Failure.WriteLine(Failure.Interrupted);
        Environment.Exit(Failure.Error);
    }
}
