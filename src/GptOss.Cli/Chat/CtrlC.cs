namespace GptOss.Cli.Chat;

/// <summary>
/// Ctrl+C in a conversation: stops the answer; between answers the first only warns, and the second ends the tool.
/// </summary>
internal sealed class CtrlC(Action warn)
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _answer;
    private bool _hasWarned;

    /// <summary>From here on Ctrl+C cancels this source, until <see cref="EndAnswer"/>.</summary>
    public void BeginAnswer(CancellationTokenSource answer)
    {
        lock (_lock)
            (_answer, _hasWarned) = (answer, false);
    }

    public void EndAnswer()
    {
        lock (_lock)
            _answer = null;
    }

    /// <summary>The person goes on, so that the next Ctrl+C between answers warns again.</summary>
    public void ForgetWarning()
    {
        lock (_lock)
            _hasWarned = false;
    }

    /// <summary>Handles one Ctrl+C; returns false where the tool should end.</summary>
    public bool Handle()
    {
        lock (_lock)
        {
            if (_answer is { IsCancellationRequested: false })
            {
                _answer.Cancel();
                return true;
            }
            if (_answer is not null || _hasWarned)
                return false;
            _hasWarned = true;
        }
        warn();
        return true;
    }
}
