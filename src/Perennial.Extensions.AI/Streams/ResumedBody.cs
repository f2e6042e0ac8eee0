using Perennial.Sse;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>
/// The body of a Perennial server's stream, as the SDK expects it: whole events of its provider's format, each once, over any number of
/// connections. Used by one reader.
/// </summary>
/// <param name="transport">Reads the stream. The body disposes it.</param>
/// <param name="options">The options of the handler.</param>
internal sealed class ResumedBody(SseTransport transport, ResumableStreamOptions options) : ReadOnlyBody
{
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(5);

    private readonly IAsyncEnumerator<StreamMessage> _messages = transport.ReadAllAsync().GetAsyncEnumerator();
    private readonly AnswerWatch _watch = new(isAnswer: false);
    private Task<bool>? _moving;            // a move whose reader was cancelled; the next read goes on with it
    private ReadOnlyMemory<byte> _rest;     // of the event that is being handed over
    private bool _isOver;
    private (string Message, Exception? Cause)? _failure;       // thrown after everything was handed over
    private int _isDisposed;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_rest.IsEmpty && !buffer.IsEmpty)
        {
            if (_isOver)
            {
                return _failure is { } failure ? throw new IOException(failure.Message, failure.Cause) : 0;
            }

            await MoveAsync(cancellationToken).ConfigureAwait(false);
        }

        var count = Math.Min(_rest.Length, buffer.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ = CloseAsync();
        }

        base.Dispose(disposing);
    }

    private async ValueTask MoveAsync(CancellationToken cancellationToken)
    {
        bool hasMoved;
        try
        {
            _moving ??= _messages.MoveNextAsync().AsTask();
            hasMoved = await _moving.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException e)
        {
            End(_watch.IsWhole ? null : (e.Message, e));        // a line that breaks after the end of the answer does no harm
            return;
        }

        _moving = null;
        if (hasMoved)
        {
            Take(_messages.Current);
        }
        else
        {
            EndAs((await transport.Completion.ConfigureAwait(false)).Reason);
        }
    }

    private void Take(StreamMessage message)
    {
        if (message.FollowsGap)
        {
            End(("The server could not go on exactly after the last event.", null));
            return;
        }

        var hasType = !string.Equals(message.EventType, StreamMessage.DefaultEventType, StringComparison.Ordinal);
        var eventType = hasType ? message.EventType : null;
        _watch.Observe(eventType, message.Data.Span);
        _rest = Encode(eventType, message.Data.Span);
        if (_watch.HasFailed)
        {
            End(($"The provider announced an error in the middle of the answer ({_watch.Dialect}).", null));
        }
    }

    /// <summary>Ends the body after a run that has an end. An end of the dialect that nobody recorded is made up.</summary>
    private void EndAs(StreamEndReason reason)
    {
        if (!_watch.IsUnfinished)
        {
            End(reason == StreamEndReason.Completed || _watch.IsWhole ? null : ("The answer was stopped before it was complete.", null));
        }
        else if (reason == StreamEndReason.Completed && _watch.SpellEnd() is { } end)
        {
            _rest = end.SelectMany(item => Encode(item.EventType, item.Data.Span)).ToArray();
            End(null);
        }
        else
        {
            End((
                reason == StreamEndReason.Completed
                    ? $"The run ended before the answer was complete: the end of the format {_watch.Dialect} is missing."
                    : "The answer was stopped before it was complete.",
                null));
        }
    }

    private void End((string Message, Exception? Cause)? failure) => (_isOver, _failure) = (true, failure);

    private byte[] Encode(string? eventType, ReadOnlySpan<byte> data)
    {
        if (_watch.Dialect is not { Framing: DialectFraming.JsonLines })
        {
            return SseFrame.Encode(null, eventType, data, PayloadKind.Text);
        }

        byte[] line = [.. data.Trim(" \t\r\n"u8), (byte)'\n'];
        line.AsSpan(0, line.Length - 1).Replace((byte)'\n', (byte)' ');      // a line break in JSON stands between tokens
        return line;
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            return;
        }

        if (options.OnCancel == ChatCancellation.Stop && !transport.Completion.IsCompleted)
        {
            using var limit = new CancellationTokenSource(LongestStop, options.Services.Time);
            try
            {
                await transport.StopAsync(limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (
                e is TransportException or OperationCanceledException or NotSupportedException or ObjectDisposedException)
            {
                // The server goes on, as after ChatCancellation.Leave.
            }
        }

        await transport.DisposeAsync().ConfigureAwait(false);
    }
}
