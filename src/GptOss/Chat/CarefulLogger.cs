using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GptOss.Chat;

/// <summary>A logger whose own faults end no request and hide no error of one.</summary>
internal sealed class CarefulLogger(ILogger inner) : ILogger
{
    /// <summary>
    /// A logger of the factory; one that writes nothing where there is no factory, or where it fails.
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
            // There is nobody left to tell.
        }
    }
}
