using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Perennial.Tests.Fixtures;

/// <summary>Keeps every log line, its exception in full, of everything that logs here.</summary>
internal sealed class LogSink : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text, Exception? Exception)> _lines = new();

    public IReadOnlyList<(LogLevel Level, string Text, Exception? Exception)> Lines => [.. _lines];

    public IEnumerable<string> At(LogLevel level) => Lines.Where(line => line.Level == level).Select(static line => line.Text);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, formatter(state, exception), exception));
}
