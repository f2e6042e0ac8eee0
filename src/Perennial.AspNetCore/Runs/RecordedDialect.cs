using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Runs;

/// <summary>What the events of a run mean in its dialect, read from the log when the run ends. Immutable.</summary>
internal sealed class RecordedDialect
{
    /// <summary>The newest events that are judged. The end is among them, because producers write little after it.</summary>
    private const int Judged = 8;

    private readonly Dialect _dialect;
    private readonly RunEvent? _first;
    private readonly RunEvent? _newest;

    private RecordedDialect(Dialect dialect, RunEvent? first, ReadOnlySpan<RunRecord> newest)
    {
        _dialect = dialect;
        _first = first;
        foreach (var record in newest)
        {
            _newest = record.Content;
            Signal = dialect.Judge(MessageOf(_newest));
            if (Signal is DialectSignal.EndMarker or DialectSignal.Last or DialectSignal.Failed)
            {
                Error = Signal == DialectSignal.Failed ? ServerError.FromJson(record.Content.Data) : null;
                break;
            }
        }
    }

    /// <summary>The first end or error of the dialect, or else the signal of the newest event.</summary>
    public DialectSignal Signal { get; }

    /// <summary>Whether the events have the dialect's end, and no error before it.</summary>
    public bool IsComplete => Progress.IsComplete;

    /// <summary>The recorded error of the dialect; null if there is none.</summary>
    public ServerError? Error { get; }

    /// <summary>Reads the events of a run.</summary>
    /// <param name="log">The run.</param>
    /// <param name="dialect">Its dialect.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public static async ValueTask<RecordedDialect> ReadAsync(RunLog log, Dialect dialect, CancellationToken cancellationToken)
    {
        var state = await log.GetStateAsync(cancellationToken).ConfigureAwait(false);
        var last = state.Status == RunStatus.Running ? state.Tail : state.Tail - 1;
        var newest = new List<RunRecord>();
        for (var after = Math.Max(0, last - Judged); after < last; after = newest[^1].Sequence)
        {
            var slice = await log.ReadAsync(after, int.MaxValue, cancellationToken).ConfigureAwait(false);
            if (slice.Records.IsEmpty)
            {
                break;
            }

            newest.AddRange(slice.Records.Span);
        }

        newest.RemoveAll(record => record.Sequence > last || EventNames.IsReserved(record.Content.EventType));
        return new RecordedDialect(dialect, await FirstAsync(log, last, cancellationToken).ConfigureAwait(false), [.. newest]);
    }

    /// <summary>Reads the first event of the dialect. A gateway has recorded the head of the upstream's response before it.</summary>
    private static async ValueTask<RunEvent?> FirstAsync(RunLog log, long last, CancellationToken cancellationToken)
    {
        for (var after = 0L; after < last; after++)
        {
            var slice = await log.ReadAsync(after, 1, cancellationToken).ConfigureAwait(false);
            if (slice.Records.IsEmpty)
            {
                return null;
            }

            if (!EventNames.IsReserved(slice.Records.Span[0].Content.EventType))
            {
                return slice.Records.Span[0].Content;
            }
        }

        return null;
    }

    /// <summary>The events that make the run complete in its dialect; null if they cannot be made up.</summary>
    public IReadOnlyList<DialectEvent>? SpellEnd() => _dialect.SpellEnd(Progress);

    /// <summary>The events that tell a reader that the run failed. Empty if the recorded events do so already.</summary>
    public IReadOnlyList<DialectEvent> SpellFailure(string message, string code) =>
        Signal == DialectSignal.Failed ? [] : _dialect.SpellFailure(Progress, message, code);

    private DialectProgress Progress => new() { Signal = Signal, First = MessageOf(_first), Newest = MessageOf(_newest) };

    private static DialectMessage MessageOf(RunEvent? item) =>
        item is { } content
            ? new DialectMessage(string.IsNullOrEmpty(content.EventType) ? null : content.EventType, content.Data.Span)
            : default;
}
