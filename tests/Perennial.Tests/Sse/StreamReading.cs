using Perennial.Engine;
using Perennial.Sse;

namespace Perennial.Tests.Sse;

internal sealed record ReadMessage(string? Id, string Type, string Data);

/// <summary>What a reader made of an event stream: its messages, where a reconnect would resume, and the delay asked for.</summary>
internal sealed record StreamReading(IReadOnlyList<ReadMessage> Messages, string? Cursor, double? Retry)
{
    /// <summary>Reads with our parser, cut at the given positions, as a connection and the transport above it would.</summary>
    public static StreamReading Of(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> cuts = default, string? lastEventId = null)
    {
        var parser = new SseEventParser(maxMessageBytes: 1024 * 1024, lastEventId);
        var batch = new MessageBatch();
        var cursor = new ResumeCursor(lastEventId, isExact: true, new Lock());
        var messages = new List<ReadMessage>();
        double? retry = null;
        for (var i = 0; i <= cuts.Length; i++)
        {
            var start = i == 0 ? 0 : cuts[i - 1];
            var end = i == cuts.Length ? bytes.Length : cuts[i];
            parser.Parse(bytes[start..end], batch);
            foreach (ref readonly var message in batch.Messages)
            {
                messages.Add(new ReadMessage(message.Id, message.EventType, message.Text));
            }

            retry = batch.RetryDelay?.TotalMilliseconds ?? retry;
            var moved = batch.HasCursor ? batch.CursorIndex : 0;
            cursor.MovePast(batch.Messages[..moved]);
            if (batch.HasCursor)
            {
                cursor.MoveTo(batch.Cursor);
            }

            cursor.MovePast(batch.Messages[moved..]);

            batch.Clear();
        }

        parser.HasId.ShouldBe(cursor.Value is not null);
        parser.HasDispatched.ShouldBe(messages.Count > 0);
        parser.Release();
        return new StreamReading(messages, cursor.Value, retry);
    }

    public bool Equals(StreamReading? other) =>
        other is not null
        && Messages.SequenceEqual(other.Messages)
        && string.Equals(Cursor, other.Cursor, StringComparison.Ordinal)
        && Retry.Equals(other.Retry);

    public override int GetHashCode() => HashCode.Combine(Messages.Count, Cursor, Retry);

    public override string ToString() =>
        $"{string.Concat(Messages.Select(message => $"{message}\n"))}cursor {Cursor ?? "none"}, retry {Retry?.ToString() ?? "none"}";
}
