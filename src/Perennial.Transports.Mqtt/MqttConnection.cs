using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt;

/// <summary>One connection to an MQTT server. A message is acknowledged when the next read shows that it was put into the buffer.</summary>
internal sealed class MqttConnection : TransportConnection
{
    private static readonly TimeSpan GoodbyeLimit = TimeSpan.FromSeconds(1);

    /// <summary>How many messages may be remembered before a ping finds out which of them the server will not repeat.</summary>
    private const int MostUnconfirmed = 4096;

    /// <summary>The event type of the message that announces a gap, recognized by reference: no server can send it.</summary>
    private static readonly string GapMark = new("gap".AsSpan());

    private readonly MqttWire _wire;
    private readonly MqttSession _session;
    private readonly MqttTransportOptions _options;
    private readonly TimeSpan _keepAlive;
    private readonly MqttPings _pings;
    private readonly int _maxPacketBytes;
    private MqttSend? _send;            // waits for its answer
    private bool _announcesGap;
    private bool _hasEnded;             // a message ended the stream, so it counts as handed over
    private bool _isReading;
    private volatile bool _isBroken;
    private int _isDisposed;

    public MqttConnection(
        MqttWire wire, MqttSession session, MqttTransportOptions options, MqttConnAckPacket welcome, bool announcesGap, TimeProvider time)
    {
        _wire = wire;
        _session = session;
        _options = options;
        _announcesGap = announcesGap;
        _keepAlive = welcome.ServerKeepAlive > 0 ? TimeSpan.FromSeconds(welcome.ServerKeepAlive) : options.KeepAlive;
        _maxPacketBytes = welcome.MaximumPacketSize is > 0 and <= int.MaxValue ? (int)welcome.MaximumPacketSize : int.MaxValue;
        _pings = new MqttPings(wire, session, _keepAlive / 2, time);
    }

    public override bool AlwaysMarksEnd => true;        // the end of a connection says nothing about topics

    public override TimeSpan? LongestSilence => _keepAlive * 1.5;

    public override bool SendsAreRepeatable => _options is { Quality: MqttQuality.ExactlyOnce, HasSession: true };

    /// <summary>A fixed header, the topic and the properties of a message leave less for the payload.</summary>
    public override int MaxSendBytes => _maxPacketBytes == int.MaxValue
        ? int.MaxValue
        : Math.Max(0, _maxPacketBytes - 256 - (3 * (_options.SendTopic?.Length ?? 0)));

    public override Uri? GetResumeEndpoint(Uri endpoint) => null;       // the position is in the session, not in an id

    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        if (_announcesGap)
        {
            _announcesGap = false;
            batch.Add("{}"u8, eventType: GapMark);
            return ReadOutcome.More;
        }

        _isReading = true;
        try
        {
            if (_session.TakeAnswer() is { } answer)
            {
                await _wire.QueueAsync(answer).ConfigureAwait(false);
            }

            if (_session.Unconfirmed > MostUnconfirmed && !_pings.IsWaiting)
            {
                await _pings.SendAsync().ConfigureAwait(false);
            }

            if (await TakePacketsAsync(batch).ConfigureAwait(false))
            {
                return ReadOutcome.More;
            }

            await _wire.FlushAsync().ConfigureAwait(false);
            batch.BytesReceived = await _wire.FillAsync(cancellationToken).ConfigureAwait(false);
            if (batch.BytesReceived == 0)
            {
                _isBroken = true;
                return ReadOutcome.EndOfStream;
            }

            await TakePacketsAsync(batch).ConfigureAwait(false);
            return ReadOutcome.More;
        }
        catch (TransportException)
        {
            _isBroken = true;
            throw;
        }
        finally
        {
            _isReading = false;
        }
    }

    public override StreamSignal Classify(in StreamMessage message)
    {
        if (ReferenceEquals(message.EventType, GapMark))
        {
            return StreamSignal.Gap;
        }

        var signal = _options.Classify?.Invoke(in message) ?? StreamSignal.None;
        _hasEnded |= signal is StreamSignal.Completed or StreamSignal.Stopped or StreamSignal.Failed;
        return signal;
    }

    public override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (_options.SendTopic is not { } topic)
        {
            throw new NotSupportedException($"The transport cannot send: {nameof(MqttTransportOptions.SendTopic)} is not set.");
        }

        if (_options.Quality == MqttQuality.AtMostOnce)
        {
            await _wire.WriteAsync(MqttPackets.Publish(message, topic, _options, packetId: 0, isRepeated: false)).ConfigureAwait(false);
            return SendOutcome.Sent;
        }

        var send = _session.SendFor(message);
        Interlocked.Exchange(ref _send, send);
        try
        {
            if (Volatile.Read(ref _isDisposed) != 0)
            {
                throw MqttErrors.Lost();
            }

            await _wire.WriteAsync(send.IsTaken
                ? new MqttPubRelPacket { PacketIdentifier = send.PacketId }
                : MqttPackets.Publish(message, topic, _options, send.PacketId, send.IsWritten)).ConfigureAwait(false);
            send.IsWritten = true;
            return await send.Outcome.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _send = null;
            if (!SendsAreRepeatable)
            {
                _session.Remove(send);
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _pings.DisposeAsync().ConfigureAwait(false);
        try
        {
            if (!_isBroken && !_isReading && !IsPeerUnresponsive)
            {
                await SayGoodbyeAsync().WaitAsync(GoodbyeLimit, TimeProvider.System).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is TransportException or TimeoutException)
        {
            // The connection broke off before the goodbye.
        }

        _isBroken = true;
        _wire.Dispose();
        _send?.Fail(new TransportException(
            TransportErrorCode.ConnectionLost, "The connection was interrupted before the server answered.", isTransient: true)
        {
            Delivery = DeliveryStatus.Unknown,
        });
    }

    /// <summary>
    /// Handles the packets that have arrived, up to the first message with an acknowledgement. Returns whether there was a message.
    /// </summary>
    private async ValueTask<bool> TakePacketsAsync(MessageBatch batch)
    {
        while (_wire.Take() is { } packet)
        {
            switch (packet)
            {
                case MqttPublishPacket message:
                    if (MqttPackets.Read(message, _options, _session, batch) is { } repeated)
                    {
                        await _wire.QueueAsync(repeated).ConfigureAwait(false);
                    }
                    else if (message.QualityOfServiceLevel != MqttQualityOfServiceLevel.AtMostOnce)
                    {
                        return true;
                    }

                    break;
                case MqttPubRelPacket release:
                    _session.Release(release.PacketIdentifier);
                    await _wire.QueueAsync(new MqttPubCompPacket { PacketIdentifier = release.PacketIdentifier }).ConfigureAwait(false);
                    break;
                case MqttDisconnectPacket goodbye:
                    throw MqttErrors.FromDisconnect(goodbye);
                case MqttPingRespPacket:
                    if (_pings.NoteAnswer() is { } roundTrip)
                    {
                        ReportPingAnswered(roundTrip);
                    }

                    break;
                case MqttPubRecPacket { ReasonCode: < MqttPubRecReasonCode.UnspecifiedError } taken:
                    _session.Find(taken.PacketIdentifier)?.IsTaken = true;
                    await _wire.QueueAsync(new MqttPubRelPacket { PacketIdentifier = taken.PacketIdentifier }).ConfigureAwait(false);
                    break;
                default:
                    EndSend(packet);
                    break;
            }
        }

        return batch.Count > 0;
    }

    private void EndSend(MqttPacket packet)
    {
        var (id, refusal) = packet switch
        {
            MqttPubAckPacket ack => (ack.PacketIdentifier, ack.ReasonCode < MqttPubAckReasonCode.UnspecifiedError
                ? null : MqttErrors.FromPublish(ack.ReasonCode.ToString(), ack.ReasonString)),
            MqttPubRecPacket rec => (rec.PacketIdentifier, MqttErrors.FromPublish(rec.ReasonCode.ToString(), rec.ReasonString)),
            MqttPubCompPacket complete => (complete.PacketIdentifier, null),
            _ => ((ushort)0, null),
        };
        if (_session.Find(id) is not { } send)
        {
            return;     // the answer to a send whose caller has left
        }

        _session.Remove(send);
        if (refusal is null)
        {
            send.Acknowledge();
            ReportProgress();
        }
        else
        {
            send.Fail(refusal);
        }
    }

    /// <summary>
    /// Writes the acknowledgements that wait and DISCONNECT, and reads until the server hangs up. Bytes that nobody reads would make the
    /// system reset the connection, and the goodbye might be lost.
    /// </summary>
    private async Task SayGoodbyeAsync()
    {
        if (_hasEnded && _session.TakeAnswer() is { } answer)
        {
            await _wire.QueueAsync(answer).ConfigureAwait(false);
        }

        await _wire.WriteAsync(MqttPackets.Disconnect(_options)).ConfigureAwait(false);
        while (await _wire.FillAsync(CancellationToken.None).ConfigureAwait(false) > 0)
        {
            while (_wire.Take() is not null)
            {
                // What the server sent before it read the goodbye. A session sends it again.
            }
        }
    }
}
