using System.IO.Pipelines;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>A reader that knows the dialect of a run, and nothing of Perennial.</summary>
internal sealed class DialectSink(PipeWriter body, Dialect dialect, CancellationTokenSource stalled, TimeSpan limit)
    : BodySink(body, dialect.Framing == DialectFraming.JsonLines ? ReaderKind.JsonLines : ReaderKind.Sse, stalled, limit)
{
    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    private RunRecord? _end;

    public override void Write(RunRecord record)
    {
        if (EventNames.IsReserved(record.Content.EventType))
        {
            _end = record;
        }
        else if (dialect.Framing == DialectFraming.JsonLines)
        {
            AddLine(record.Content.Data);
        }
        else
        {
            AddFrame(record.SseFrame);
        }
    }

    /// <summary>Writes nothing: the delay of a retry is for readers that know Perennial.</summary>
    /// <exception cref="RunStoreException">
    /// Events are missing. Such a reader would not notice, so its connection must be aborted.
    /// </exception>
    public override void Write(ControlEvent control)
    {
        if (control.Retry is null)
        {
            throw new RunStoreException("Events of the run are no longer kept.");
        }
    }

    public override void WriteHeartbeat()
    {
        if (!dialect.Heartbeat.IsEmpty)
        {
            Add(dialect.Heartbeat);
        }
    }

    /// <summary>Tells the reader how a run ended. Called after the last record is flushed.</summary>
    /// <returns>Whether the response may end normally. If not, the connection must be aborted.</returns>
    public async ValueTask<bool> EndAsync(RunLog log, RunStatus status, CancellationToken leave)
    {
        if (status == RunStatus.Completed || _end is null)
        {
            return status == RunStatus.Completed;
        }

        var recorded = await RecordedDialect.ReadAsync(log, dialect, leave);
        if (status == RunStatus.Stopped && recorded.IsComplete)
        {
            return true;
        }

        var (message, code) = ReasonOf(_end.Content, status);
        var failure = recorded.SpellFailure(message, code);
        for (var i = 0; i < failure.Count; i++)
        {
            Write(failure[i], i == failure.Count - 1 ? new RunEventId(log.Epoch, _end.Sequence) : null);
            await FlushAsync(leave);
        }

        return false;
    }

    private static (string Message, string Code) ReasonOf(RunEvent end, RunStatus status)
    {
        if (status == RunStatus.Stopped)
        {
            return ("The run was stopped.", status.Name());
        }

        var error = ServerError.FromJson(end.Data);
        return (error.Message ?? RunFailedException.DefaultMessage, error.Code ?? RunFailedException.DefaultCode);
    }

    private void Write(DialectEvent item, RunEventId? id)
    {
        if (item.IsBare)
        {
            Add(item.Data);
        }
        else if (dialect.Framing == DialectFraming.JsonLines)
        {
            AddLine(item.Data);
        }
        else
        {
            AddFrame(SseFrame.Encode(id, item.EventType, item.Data.Span, PayloadKind.Text));
        }
    }

    // A frame begins with the line of its id, if it has one. The same bytes serve both places of the id.
    private void AddFrame(ReadOnlyMemory<byte> frame)
    {
        if (dialect.Framing == DialectFraming.ServerSentEventsThenIds && frame.Span.StartsWith("id: "u8))
        {
            var idLength = frame.Span.IndexOf((byte)'\n') + 1;
            Add(frame[idLength..]);
            Add(frame[..idLength]);
            Add(LineEnd);
        }
        else
        {
            Add(frame);
        }
    }

    // A line break in JSON stands between tokens, where a space means the same. A blank line is not JSON, and clients do not accept it.
    private void AddLine(ReadOnlyMemory<byte> json)
    {
        var line = json.Trim(" \t\r\n"u8);
        if (line.IsEmpty)
        {
            return;
        }

        if (line.Span.ContainsAny((byte)'\r', (byte)'\n'))
        {
            var copy = line.ToArray();
            copy.AsSpan().Replace((byte)'\r', (byte)' ');
            copy.AsSpan().Replace((byte)'\n', (byte)' ');
            line = copy;
        }

        Add(line);
        Add(LineEnd);
    }
}
