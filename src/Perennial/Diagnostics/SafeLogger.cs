using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Perennial.Diagnostics;

/// <summary>A logger that never throws: it catches and counts exceptions of the application's logger. Thread safe.</summary>
/// <param name="logger">The application's logger.</param>
/// <param name="metrics">Counts exceptions. <see langword="null"/> does not count them.</param>
internal sealed class SafeLogger(ILogger logger, MetricsRecorder? metrics) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        try
        {
            return logger.BeginScope(state);
        }
        catch (Exception)
        {
            metrics?.ObserverThrew();
            return null;
        }
    }

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return logger.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            metrics?.ObserverThrew();
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            metrics?.ObserverThrew();
        }
    }
}

internal static class SafeLogging
{
    /// <summary>Creates a logger that never throws.</summary>
    public static ILogger CreateSafeLogger(this ILoggerFactory factory, string category, MetricsRecorder? metrics = null) =>
        factory.CreateLogger(category) is var logger and not NullLogger ? new SafeLogger(logger, metrics) : NullLogger.Instance;
}
