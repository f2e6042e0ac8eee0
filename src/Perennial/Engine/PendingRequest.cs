using System.Threading.Channels;
using Perennial.Requests;

namespace Perennial.Engine;

/// <summary>
/// One request, from before it leaves until its caller has its replies. The pump writes the replies and the caller reads them. The first of
/// these events ends the request: its last reply, a failure, a timeout, or its caller leaving. The caller must dispose it, which releases
/// everything.
/// </summary>
/// <param name="id">The request's id.</param>
/// <param name="send">The send of its message.</param>
/// <param name="sendCancellation">The source of the send's cancellation token.</param>
/// <param name="options">The request's options.</param>
/// <param name="isSingle">Whether the first reply is the last one.</param>
/// <param name="table">The table that holds the request.</param>
/// <param name="time">The clock.</param>
internal sealed class PendingRequest(
    string id,
    OutgoingSend send,
    CancellationTokenSource sendCancellation,
    RequestOptions options,
    bool isSingle,
    RequestTable table,
    TimeProvider time) : IDisposable
{
    private static readonly object EndedInOrder = new();

    private readonly Channel<StreamMessage> _replies = Channel.CreateBounded<StreamMessage>(
        new BoundedChannelOptions(isSingle ? 1 : options.BufferCapacity) { SingleReader = true, SingleWriter = true });

    private object? _end;                   // how it ended: normally, or with an exception; written by TryEnd only
    private volatile bool _hasReply;

    public string Id => id;

    public OutgoingSend Send => send;

    /// <summary>Waits for the send. A failed send ends the request, unless a reply proves that the message arrived.</summary>
    public async Task FollowAsync()
    {
        try
        {
            await send.Outcome.ConfigureAwait(false);
            if (table.HasLostRepliesTo(this))
            {
                FailAsLost();
            }
        }
        catch (OperationCanceledException) when (sendCancellation.IsCancellationRequested)
        {
            // The request ended first.
        }
        catch (Exception e)
        {
            if (!_hasReply)
            {
                TryEnd(e);
            }
        }
    }

    /// <summary>Accepts a reply, and waits for room. Returns false if the request has ended.</summary>
    public async ValueTask<bool> AcceptAsync(ReplyContent reply, StreamMessage carrier, CancellationToken cancellationToken)
    {
        if (reply.Error is { } error)
        {
            return TryEnd(new TransportException(TransportErrorCode.RequestFailed, "The server answered the request with an error.")
            {
                ServerMessage = error.Message,
                ServerCode = error.Code,
            });
        }

        var isDelivered = isSingle || !reply.IsEmpty;
        while (isDelivered && !_replies.Writer.TryWrite(carrier.WithData(reply.Data)))
        {
            if (!await _replies.Writer.WaitToWriteAsync(cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        _hasReply = true;
        return isSingle || reply.IsLast ? TryEnd(EndedInOrder) || isDelivered : true;
    }

    /// <summary>Returns the next reply, or <see langword="null"/> after the last.</summary>
    /// <exception cref="TransportException">The request failed, so no further reply follows.</exception>
    public async ValueTask<StreamMessage?> NextAsync(CancellationToken cancellationToken)
    {
        StreamMessage reply;
        while (!_replies.Reader.TryRead(out reply))
        {
            if (!await WaitAsync(cancellationToken).ConfigureAwait(false))
            {
                return Volatile.Read(ref _end) is Exception error ? throw error : null;
            }
        }

        return reply;
    }

    public void FailAsLost() => TryEnd(new TransportException(
        TransportErrorCode.ReplyLost,
        "The connection was lost after the request, and the server does not repeat messages, so the reply may be lost.",
        isTransient: true)
    {
        Delivery = DeliveryStatus.Unknown,
    });

    public void FailAsEnded(StreamEnd end) => TryEnd(new TransportException(
        TransportErrorCode.NotConnected, $"The stream ended before the reply arrived: {end.Reason}.", innerException: end.Error)
    {
        Delivery = CancelSend(),
    });

    public void Dispose()
    {
        table.Remove(this);
        TryEnd(EndedInOrder);
        while (_replies.Reader.TryRead(out _))
        {
            table.CountLate();
        }

        if (!_hasReply)
        {
            CancelSend();
        }
    }

    private async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var waiting = _replies.Reader.WaitToReadAsync(CancellationToken.None).AsTask();     // ends when the request ends
        try
        {
            return await waiting.WaitAsync(options.Timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new TransportException(TransportErrorCode.ReplyTimeout, $"No reply within {options.Timeout}.", isTransient: true, e)
            {
                Delivery = CancelSend(),
            };
        }
    }

    /// <summary>Cancels the send if the message has not left yet. Returns whether the peer may have received it.</summary>
    private DeliveryStatus CancelSend()
    {
        sendCancellation.CancelQuietly();
        return send.LastConnection == 0 ? DeliveryStatus.NotSent : DeliveryStatus.Unknown;
    }

    private bool TryEnd(object end)
    {
        var isFirst = Interlocked.CompareExchange(ref _end, end, null) is null;
        if (isFirst)
        {
            _replies.Writer.Complete();
        }

        return isFirst;
    }
}
