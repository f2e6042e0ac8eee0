using StackExchange.Redis;

namespace Perennial.Transports.Redis;

/// <summary>What connections for streams and for Pub/Sub have in common: sends, gaps and pings.</summary>
/// <param name="reader">The connection that reads.</param>
/// <param name="sender">The connection that sends. It may be the one that reads; null if the transport cannot send.</param>
/// <param name="options">The options of the transport.</param>
/// <param name="announcesGap">Whether messages may be missing before the first one.</param>
internal abstract class RedisConnection(RedisLink reader, RedisLink? sender, RedisTransportOptions options, bool announcesGap)
    : TransportConnection
{
    /// <summary>The event type of the message that announces a gap, recognized by reference: no server can send it.</summary>
    private static readonly string GapMark = new("gap".AsSpan());

    private bool _announcesGap = announcesGap;

    public sealed override bool AlwaysMarksEnd => true;     // the end of a connection says nothing about a stream

    public sealed override TimeSpan? LongestSilence => options.PingInterval * 3;

    protected RedisLink Reader => reader;

    protected RedisTransportOptions Options => options;

    public sealed override StreamSignal Classify(in StreamMessage message) => ReferenceEquals(message.EventType, GapMark)
        ? StreamSignal.Gap
        : options.Classify?.Invoke(in message) ?? StreamSignal.None;

    public sealed override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_announcesGap)
        {
            _announcesGap = false;
            AddGap(batch);
            return ReadOutcome.More;
        }

        await ReadMessagesAsync(batch, cancellationToken).ConfigureAwait(false);
        return ReadOutcome.More;
    }

    public sealed override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (sender is null)
        {
            throw new NotSupportedException(
                $"The transport cannot send: neither {nameof(options.SendStream)} nor {nameof(options.SendChannel)} is set.");
        }

        Task sending;
        try
        {
            sending = options.SendStream is { } stream
                ? sender.Database.StreamAddAsync(stream, options.DataField, message.Data)
                : sender.Database.PublishAsync(RedisChannel.Literal(options.SendChannel!), message.Data);
            if (await Task.WhenAny(sending, sender.Lost).WaitAsync(cancellationToken).ConfigureAwait(false) == sender.Lost)
            {
                // The library knows whether the command had left, and ends it soon.
                await sending.WaitAsync(CloseLimit, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            }

            await sending.ConfigureAwait(false);
            return SendOutcome.Acknowledged;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw RedisErrors.FromSend(e);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync().ConfigureAwait(false);
        if (sender is not null && sender != reader)
        {
            await sender.DisposeAsync().ConfigureAwait(false);
        }
    }

    protected abstract Task ReadMessagesAsync(MessageBatch batch, CancellationToken cancellationToken);

    protected static void AddGap(MessageBatch batch) => batch.Add("{}"u8, eventType: GapMark);
}
