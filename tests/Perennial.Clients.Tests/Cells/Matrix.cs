using System.Collections.Concurrent;
using Perennial.Clients.Tests.Node;

namespace Perennial.Clients.Tests.Cells;

/// <summary>All cells. Each is run once, when it is first asked for. Thread-safe.</summary>
public sealed class Matrix : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Cell, Lazy<Task<Outcome>>> _outcomes = new();
    private readonly NodeHost _node = new();

    /// <summary>The process of the npm clients. Skips the test where there can be none.</summary>
    internal NodeHost RequireNode()
    {
        if (NodeHost.WhyNot is { } reason)
        {
            Assert.Skip(reason);
        }

        return _node;
    }

    /// <summary>Lets the client ask, and says what came of it. Skips the test where the client cannot run.</summary>
    internal async Task<Outcome> OutcomeAsync(Cell cell)
    {
        if (cell.Client.NeedsNode)
        {
            RequireNode();
        }

        return await _outcomes.GetOrAdd(cell, each => new Lazy<Task<Outcome>>(() => each.RunAsync(_node))).Value;
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();
}
