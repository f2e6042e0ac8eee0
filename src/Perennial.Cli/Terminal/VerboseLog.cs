using Microsoft.Extensions.Logging;

namespace Perennial.Cli.Terminal;

/// <summary>Shows the library's log on stderr. The log contains no secret and no payload.</summary>
internal sealed class VerboseLog : ILoggerFactory, ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("This log writes only to stderr.");

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        ErrorLine.Write($"[{logLevel}] {formatter(state, exception)}");

    public void Dispose()
    {
    }
}
