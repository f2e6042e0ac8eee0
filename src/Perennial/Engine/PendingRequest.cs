using System.Threading.Channels;
using Perennial.Requests;

namespace Perennial.Engine;

/// <summary>
/// One request from before it leaves until its caller has what it wanted: the pump writes replies, the caller reads them, and whatever
/// happens first ends it. Disposing it, on the caller's side, leaves nothing behind.
/// </summary>
/// <param name="id">Names it.</param>
/// <param name="send">Its message.</param>
/// <param name="takeBack">The source of the message's cancellation token.</param>
/// <param name="options">What the caller was promised.</param>
/// <param name="isSingle">Whether the first reply is the last.</param>
/// <param name="table">Where it is expected.</param>
/// <param name="time">The clock.</param>
internal sealed class PendingRequest(
    string id, OutgoingSend send, CancellationTokenSource takeBack, RequestOptions options, bool isSingle, RequestTable table, TimeProvider time) : IDisposable
{
    private static readonly object EndedInOrder = new();

    private readonly Channel<StreamMessage> _replies = Channel.CreateBounded<StreamMessage>(
        new BoundedChannelOptions(isSingle ? 1 : options.BufferCapacity) { SingleReader = true, SingleWriter = true });

    private object? _end;                   // how it ended: in order, or an exception; written by TryEnd only
    private volatile bool _hasReply;

    public string Id => id;

    public OutgoingSend Send => send;

    /// <summary>Waits for the send, which is the request's end if it fails and no reply says that it arrived all the same.</summary>
    public async Task FollowAsync()
    {
        try
        {
            await send.Fate.ConfigureAwait(false);
            if (table.HasLostRepliesTo(this))
            {
                FailAsLost();
            }
        }
        catch (OperationCanceledException) when (takeBack.IsCancellationRequested)
        {
            // It ended first.
        }
        catch (Exception e)
        {
            if (!_hasReply)
            {
                TryEnd(e);
            }
        }
    }

    /// <summary>Takes a reply, waiting for room. Returns whether anybody waits for it.</summary>
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

    /// <summary>The next reply, or <see langword="null"/> after the last.</summary>
    /// <exception cref="TransportException">Why there will be none.</exception>
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
        TransportErrorCode.ReplyLost, "The connection was lost after the request, and what the server said meanwhile can not be had again.", isTransient: true)
    {
        Delivery = DeliveryStatus.Unknown,
    });

    public void FailAsEnded(StreamEnd end) => TryEnd(new TransportException(
        TransportErrorCode.NotConnected, $"The stream ended before the reply came: {end.Reason}.", innerException: end.Error)
    {
        Delivery = TakeBack(),
    });

    public void Dispose()
    {
        table.Leave(this);
        TryEnd(EndedInOrder);
        while (_replies.Reader.TryRead(out _))
        {
            table.CountLate();
        }

        if (!_hasReply)
        {
            TakeBack();
        }
    }

    private async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        var waiting = _replies.Reader.WaitToReadAsync(CancellationToken.None).AsTask();     // ends when the request does
        try
        {
            return await waiting.WaitAsync(options.Timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new TransportException(TransportErrorCode.ReplyTimeout, $"No reply within {options.Timeout}.", isTransient: true, e)
            {
                Delivery = TakeBack(),
            };
        }
    }

    /// <summary>Takes the message back if it still waits, and says whether it did.</summary>
    private DeliveryStatus TakeBack()
    {
        takeBack.CancelQuietly();
        return send.LeftOver == 0 ? DeliveryStatus.NotSent : DeliveryStatus.Unknown;
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
