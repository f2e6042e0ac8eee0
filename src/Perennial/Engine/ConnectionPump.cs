using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Moves the messages of one connection into the buffer until the connection or the stream ends. For each batch it reads, classifies and
/// delivers the messages, and only then moves the cursor. It reads nothing while the buffer is full or the transport is paused.
/// </summary>
internal sealed class ConnectionPump(
    TransportCore core, TransportSession session, TransportConnection connection, IdleWatch idle, ReconnectPolicy retry)
{
    private readonly MessageBatch _batch = new();
    private readonly long _since = core.Time.GetTimestamp();
    private readonly string? _resumedFrom = core.Cursor.Value;
    private bool _hasProgressed;            // a new message with an id was delivered

    /// <summary>Detects that the connection is silent for too long.</summary>
    public IdleWatch Idle => idle;

    /// <summary>Runs until the stream ends.</summary>
    /// <returns>How the stream ended.</returns>
    /// <exception cref="TransportException">The connection was lost before the stream ended.</exception>
    public async Task<StreamEnd?> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = core.Time.GetTimestamp();
            while (true)
            {
                var pause = core.Buffer.WaitWhilePausedAsync(cancellationToken);
                if (!pause.IsCompletedSuccessfully)
                {
                    await pause.ConfigureAwait(false);
                    now = core.Time.GetTimestamp();
                }

                idle.ReadStarted(now);
                var outcome = await connection.ReadAsync(_batch, cancellationToken).ConfigureAwait(false);
                idle.ReadEnded();
                now = core.Time.GetTimestamp();
                var handOver = HandOverBatchAsync(now, cancellationToken);
                var hadRoom = handOver.IsCompletedSuccessfully;
                var end = await handOver.ConfigureAwait(false) ?? MeaningOf(outcome);
                if (end is not null)
                {
                    return end;
                }

                if (!hadRoom)
                {
                    now = core.Time.GetTimestamp();
                }
            }
        }
        catch (Exception e) when (!session.IsLeft)
        {
            throw Loss(e);
        }
    }

    /// <summary>How the stream ended, if a read returned its end.</summary>
    private StreamEnd? MeaningOf(ReadOutcome outcome) => outcome switch
    {
        ReadOutcome.More => null,
        ReadOutcome.Completed => StreamEnd.Completed,
        ReadOutcome.Stopped => StreamEnd.Stopped,
        _ when !connection.NeedsEndMarker && core.Options.EndOfStream == EndOfStreamPolicy.Complete => StreamEnd.Completed,
        _ => throw new TransportException(
            TransportErrorCode.EndedWithoutMarker, "The connection ended without an end marker.", isTransient: true),
    };

    /// <summary>
    /// Converts a failure to a lost connection, or to an interruption if another attempt would repeat a request that must not be repeated.
    /// </summary>
    private TransportException Loss(Exception e)
    {
        if (_hasProgressed || connection.HasMadeProgress || core.Time.GetElapsedTime(_since) >= core.Options.ReconnectRules.StableAfter)
        {
            retry.Clear();
        }

        var error = idle.HasFired
            ? new TransportException(
                TransportErrorCode.IdleTimeout, $"No byte arrived within {idle.Limit}, not even a heartbeat.", isTransient: true, e)
            : TransportException.From(e);
        return error.IsTransient && !connection.CanBeResumed
            ? error.AsFinal(TransportErrorCode.Interrupted, $"Interrupted: the request must not be repeated. {error.Message}")
            : error;
    }

    private void NoteBatch(long receivedAt)
    {
        core.Metrics.BytesReceived(_batch.BytesReceived, isHeartbeat: _batch is { Count: 0, BytesReceived: > 0 }, receivedAt);
        if (core.Logger.IsEnabled(LogLevel.Debug))
        {
            Log.Received(core.Logger, core.Kind, core.Id, _batch.Count, _batch.BytesReceived);
        }

        if (_batch.RetryDelay is { } delay)
        {
            retry.UseServerDelay(delay);
        }
    }

    private async ValueTask<StreamEnd?> HandOverBatchAsync(long receivedAt, CancellationToken cancellationToken)
    {
        NoteBatch(receivedAt);
        await core.Buffer.WaitWhilePausedAsync(cancellationToken).ConfigureAwait(false);
        var start = 0;
        var requests = core.Requests is { } table && table.IsExpecting(receivedAt) ? table : null;
        for (var i = 0; i < _batch.Count; i++)
        {
            if (requests?.Find(in _batch.Messages[i]) is { } reply)
            {
                await HandOverAsync(start, i, receivedAt, cancellationToken).ConfigureAwait(false);
                await requests.DeliverAsync(reply, cancellationToken).ConfigureAwait(false);
                MovePastReply(i, receivedAt);
                start = i + 1;
                continue;
            }

            var signal = _batch.Messages[i].IsMalformed ? StreamSignal.Malformed : connection.Classify(in _batch.Messages[i]);
            if (signal == StreamSignal.None)
            {
                continue;
            }

            var isDelivered = signal is StreamSignal.Error or StreamSignal.DeliveredThenCompleted;
            await HandOverAsync(start, isDelivered ? i + 1 : i, receivedAt, cancellationToken).ConfigureAwait(false);
            if (Act(signal, in _batch.Messages[i], isDelivered) is { } end)
            {
                return end;
            }

            start = i + 1;
        }

        await HandOverAsync(start, _batch.Count, receivedAt, cancellationToken).ConfigureAwait(false);
        MoveCursorBefore(_batch.Count);
        _batch.Clear();
        return null;
    }

    /// <summary>Moves the cursor to an id without a message, after all messages before it were delivered.</summary>
    private void MoveCursorBefore(int index)
    {
        if (_batch.HasCursor && _batch.CursorIndex <= index)
        {
            MoveCursor(_batch.Cursor);
            _batch.TakeCursor();
        }
    }

    /// <summary>Moves the cursor to an id that came without a message for the reader.</summary>
    private void MoveCursor(ReadOnlySpan<byte> id)
    {
        core.Cursor.MoveTo(id);
        core.Buffer.PassId(id);
    }

    private ValueTask HandOverAsync(int from, int to, long receivedAt, CancellationToken cancellationToken)
    {
        var next = HandOver(from, to, receivedAt);
        return next < to ? HandOverWithRoomAsync(next, to, receivedAt, cancellationToken) : ValueTask.CompletedTask;
    }

    private async ValueTask HandOverWithRoomAsync(int from, int to, long receivedAt, CancellationToken cancellationToken)
    {
        while (from < to)
        {
            await core.Buffer.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
            from = HandOver(from, to, receivedAt);
        }
    }

    /// <summary>Delivers as many messages as there is room for. Returns the index of the next one.</summary>
    private int HandOver(int from, int to, long receivedAt)
    {
        if (core.Cursor.IsBeforeGap && from < to)
        {
            _batch.MarkGap(from);
        }

        while (from < to)
        {
            MoveCursorBefore(from);
            var next = _batch.HasCursor && _batch.CursorIndex < to ? _batch.CursorIndex : to;
            var appended = core.Buffer.Appended;
            var count = core.Buffer.Append(_batch.Messages[from..next], receivedAt);
            if (count > 0)
            {
                // The mark is cleared only when a marked message is in the buffer. Until then the message may be dropped or lost with its
                // connection.
                core.Cursor.IsBeforeGap &= core.Buffer.Appended == appended;
                MovePast(_batch.Messages.Slice(from, count), receivedAt);
                from += count;
            }

            if (from < next)
            {
                break;
            }
        }

        return from;
    }

    /// <summary>Moves the cursor after a reply was delivered to its request, as for a message delivered to the buffer.</summary>
    private void MovePastReply(int index, long receivedAt)
    {
        MoveCursorBefore(index);
        MovePast(_batch.Messages.Slice(index, 1), receivedAt);
        if (_batch.Messages[index].MovesCursor)
        {
            core.Buffer.PassId(_batch.Messages[index].IdUtf8);
        }
    }

    private void MovePast(ReadOnlySpan<StreamMessage> messages, long receivedAt)
    {
        core.HasDelivered = true;
        core.Metrics.MessagesReceived(messages.Length, receivedAt);
        if (core.Cursor.MovePast(messages) && !_hasProgressed && !string.Equals(core.Cursor.Value, _resumedFrom, StringComparison.Ordinal))
        {
            _hasProgressed = true;
            core.Metrics.Progressed();
        }
    }

    private StreamEnd? Act(StreamSignal signal, in StreamMessage message, bool isDelivered)
    {
        if (!isDelivered && message.MovesCursor)
        {
            MoveCursor(message.IdUtf8);
        }

        switch (signal)
        {
            case StreamSignal.Completed or StreamSignal.DeliveredThenCompleted:
                return StreamEnd.Completed;
            case StreamSignal.Stopped:
                return StreamEnd.Stopped;
            case StreamSignal.Failed:
                return new StreamEnd { Reason = StreamEndReason.Failed, Error = SignalPayload.ToFailure(in message) };
            case StreamSignal.Error:
                Log.ServerReportedError(core.Logger, core.Kind, core.Id);
                core.Report(SignalPayload.ToRecoverableError(in message), isRecoverable: true, attempt: 0);
                return null;
            case StreamSignal.Malformed:
                Log.MessageSkipped(core.Logger, core.Kind, core.Id, message.Data.Length);
                core.Report(SignalPayload.ToMalformed(in message), isRecoverable: true, attempt: 0);
                return null;
            case StreamSignal.Gap:
                core.ReportGap(SignalPayload.ToGap(in message));
                core.Requests?.LoseRepliesBefore(connection.Number);
                core.Cursor.IsBeforeGap = true;
                return null;
            default:
                return null;
        }
    }
}
