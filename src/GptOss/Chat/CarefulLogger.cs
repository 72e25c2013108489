using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GptOss.Chat;

/// <summary>
/// Wraps the caller's logger and swallows whatever that logger throws, so that a fault of the log ends no request and
/// hides no other error.
/// </summary>
/// <param name="inner">The logger of the caller.</param>
internal sealed class CarefulLogger(ILogger inner) : ILogger
{
    /// <summary>
    /// A careful logger made by the factory; one that writes nothing where there is no factory, or where it throws.
    /// </summary>
    public static ILogger From(ILoggerFactory? factory, string category)
    {
        try
        {
            return new CarefulLogger((factory ?? NullLoggerFactory.Instance).CreateLogger(category));
        }
        catch (Exception)
        {
            return NullLogger.Instance;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // The logger itself failed, so there is no one to report the fault to.
        }
    }
}
