using System.Diagnostics;
using System.Globalization;

namespace GptOss.Cli.Shell;

/// <summary>
/// A living line on a terminal's standard error while nothing else can be shown yet: how much of the prompt has been
/// read, how long the model has been thinking. Elsewhere nothing.
/// </summary>
/// <remarks>The engine's thread reports the reading, the answer's reader the thinking, hence the lock.</remarks>
internal sealed class StatusLine : IProgress<PromptProgress>, IDisposable
{
    private const string ClearLine = "\r\u001b[K";

    private readonly Lock _lock = new();
    private readonly bool _isShown =
        !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
    private readonly long _began = Stopwatch.GetTimestamp();
    private string _line = "";
    private bool _isOver;

    /// <summary>Shows how far the prompt has been read.</summary>
    public void Report(PromptProgress value) =>
        Show(
            value.Processed < value.Total
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"reading {value.Processed:N0} of {value.Total:N0} tokens"
                )
                : "thinking"
        );

    /// <summary>Shows that the model thinks, and for how long it has been at the request.</summary>
    public void Think() =>
        Show(
            string.Create(
                CultureInfo.InvariantCulture,
                $"thinking, {Stopwatch.GetElapsedTime(_began).TotalSeconds:0} s"
            )
        );

    /// <summary>Takes the line away for good: the answer begins.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            Write("");
            _isOver = true;
        }
    }

    private void Show(string line)
    {
        lock (_lock)
        {
            if (!_isOver)
                Write(line);
        }
    }

    private void Write(string line)
    {
        if (!_isShown || line == _line)
            return;
        _line = line;
        try
        {
            Console.Error.Write(ClearLine + line);
        }
        catch (IOException)
        {
            // Standard error is closed: the answer goes on without the line.
        }
    }
}
