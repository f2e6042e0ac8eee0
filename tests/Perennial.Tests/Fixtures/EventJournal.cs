using System.Collections.Immutable;

namespace Perennial.Tests.Fixtures;

/// <summary>Writes down every event of a transport as a word, in the order of the calls, and notices calls that overlap.</summary>
internal sealed class EventJournal
{
    private readonly bool _withMessages;
    private ImmutableList<string> _entries = [];
    private int _inside;

    public EventJournal(Transport transport, bool withMessages = true)
    {
        _withMessages = withMessages;
        transport.Connecting += (_, e) => Note($"connecting {e.Attempt}");
        transport.Connected += (_, e) =>
            Note(e.ResumedFrom is null ? $"connected {e.Attempt}" : $"connected {e.Attempt} after {e.ResumedFrom}");
        transport.Reconnecting += (_, e) => Note($"reconnecting {e.Attempt}");
        transport.Completed += (_, e) => Note($"completed {e.End.Reason}");
        transport.ErrorOccurred += (_, e) => Note($"error {e.Code} {(e.IsRecoverable ? "recoverable" : "final")} {e.State} {e.Attempt}");
        transport.Closed += (_, e) => Note($"closed {e.End.Reason}");
        transport.Backpressure += (_, e) => Note($"backpressure {e.Mark}/{e.Capacity}");
        transport.Drained += (_, _) => Note("drained");
        transport.GapDetected += (_, e) => Note($"gap {e.Reason}");
        transport.MessagesDropped += (_, e) => Note($"dropped {e.Count} of {e.Total}");
        if (_withMessages)
        {
            transport.MessageReceived += (_, message) => Note($"message {message.Text}");
        }
    }

    public IReadOnlyList<string> Entries => Volatile.Read(ref _entries);

    public bool HasOverlapped { get; private set; }

    public Task Until(string entry) => Patience.Until(() => Entries.Contains(entry), $"'{entry}' in [{string.Join(", ", Entries)}]");

    public Task UntilClosed() => Patience.Until(
        () => Entries.Any(static entry => entry.StartsWith("closed", StringComparison.Ordinal)),
        $"closed, after [{string.Join(", ", Entries)}]");

    private void Note(string entry)
    {
        HasOverlapped |= Interlocked.Increment(ref _inside) != 1;
        ImmutableInterlocked.Update(ref _entries, static (list, added) => list.Add(added), entry);
        Interlocked.Decrement(ref _inside);
    }
}
