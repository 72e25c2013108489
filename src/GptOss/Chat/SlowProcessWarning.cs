using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>
/// Warns, once for a model, that the process does not use instruction sets that its processor has, so that the model
/// runs many times slower than it could.
/// </summary>
/// <param name="unused">Names of those instruction sets; none where there is nothing to warn of.</param>
internal sealed class SlowProcessWarning(IReadOnlyList<string> unused)
{
    private bool _isLogged;

    /// <summary>Logs the warning, unless a logger that takes warnings has had it before.</summary>
    public void Log(ILogger logger)
    {
        if (unused.Count > 0 && logger.IsEnabled(LogLevel.Warning) && !Interlocked.Exchange(ref _isLogged, true))
            ChatLog.Slow(logger, string.Join(" and ", unused));
    }
}
