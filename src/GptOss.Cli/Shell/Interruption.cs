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
    private bool _ends;

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

    /// <summary>
    /// Called at the first signal in the place of all else, by a command that ends by itself and takes its time; the
    /// second ends the process at once. Null lets the first cancel the work.
    /// </summary>
    public Action? AtFirstSignal { get; set; }

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
        if (AtFirstSignal is { } end)
        {
            AtFirstSignal = null;
            _ends = true;
            signal.Cancel = true;
            end();
            return;
        }
        // The second time the system's own way of ending a process is what the person wants.
        if (_ends || _source.IsCancellationRequested)
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
