using Microsoft.Extensions.Logging;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>A log that counts how often a store postponed one of its works.</summary>
/// <param name="work">The work, such as <c>lease</c>.</param>
internal sealed class PostponedWork(string work) : ILogger<NodeStore>
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (formatter(state, exception).StartsWith($"The {work} of the store of runs was postponed", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _count);
        }
    }
}
