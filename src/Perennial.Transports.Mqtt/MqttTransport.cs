using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt;

/// <summary>
/// A transport that subscribes to MQTT topics and publishes messages, with MQTT 5 or 3.1.1. Thread safe as described for
/// <see cref="Transport"/>.
/// </summary>
/// <remarks>
/// With QoS 1 or 2 and a session, no message is lost or repeated over lost connections; a session that the server has lost is a gap. With
/// QoS 0 every lost connection is a gap, and also once a message arrived that its publisher sent with QoS 0. A message is acknowledged when
/// it was put into the buffer. The server keeps the position, so there is no <see cref="Transport.ResumePoint"/>: another process goes on
/// with the same <see cref="MqttTransportOptions.ClientId"/>. Topics have no end; use <see cref="TransportOptions.Classify"/> where a
/// message marks it.
/// </remarks>
public sealed class MqttTransport : Transport
{
    private readonly MqttTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly MqttSession _session;
    private readonly string _clientId;

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source and logging. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    public MqttTransport(MqttTransportOptions options, TransportServices? services = null)
        : base(MqttTransportKind.Name, options, services)
    {
        _options = options;
        _time = (services ?? TransportServices.Default).Time;
        _session = new MqttSession(options.HasSession);
        _clientId = options.ClientId ?? MqttPackets.NewClientId();
    }

    /// <inheritdoc/>
    protected override async ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        _session.Settle(context.LastEventId);
        MqttWire? wire = null;
        try
        {
            var stream = await MqttStreams.OpenAsync(_options, cancellationToken).ConfigureAwait(false);
            wire = new MqttWire(stream, _options.Version, _options.MaxMessageBytes);
            var welcome = await ConnectAsync(wire, cancellationToken).ConfigureAwait(false);
            var announcesGap = MeetSession(welcome.IsSessionPresent, context.HasDelivered);
            await SubscribeAsync(wire, cancellationToken).ConfigureAwait(false);
            _session.HasBegun = true;
            return new MqttConnection(wire, _session, _options, welcome, announcesGap, _time);
        }
        catch (Exception e)
        {
            wire?.Dispose();
            if (e is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw;
            }

            throw MqttErrors.FromOpening(e, _options.Endpoint);
        }
    }

    private async Task<MqttConnAckPacket> ConnectAsync(MqttWire wire, CancellationToken cancellationToken)
    {
        var startsClean = !_options.HasSession || (_options.ClientId is null && !_session.HasBegun);
        await wire.WriteAsync(MqttPackets.Connect(_options, _clientId, startsClean)).ConfigureAwait(false);
        MqttPacket? answer;
        while ((answer = wire.Take()) is null)
        {
            await FillAsync(wire, cancellationToken).ConfigureAwait(false);
        }

        var welcome = (MqttConnAckPacket)answer;        // the wire takes no other packet at first

        var isAccepted = _options.Version == MqttVersion.V5
            ? welcome.ReasonCode == MqttConnectReasonCode.Success
            : welcome.ReturnCode == MqttConnectReturnCode.ConnectionAccepted;
        if (!isAccepted)
        {
            throw MqttErrors.FromConnect(welcome, _options.Version);
        }

        return welcome;
    }

    /// <summary>
    /// Compares the server's session with this one. Returns whether messages may be missing that the engine does not know of: it announces
    /// a gap itself if the last message had no id.
    /// </summary>
    private bool MeetSession(bool isPresent, bool hasDelivered)
    {
        if (!_session.HasBegun)
        {
            return false;
        }

        if (!isPresent)
        {
            _session.Lose();
        }

        if (!_options.HasSession)
        {
            return _options.Filters.Count > 0 && (!hasDelivered || _session.HasIds);
        }

        return !isPresent && _options.Filters.Count > 0;
    }

    private async Task SubscribeAsync(MqttWire wire, CancellationToken cancellationToken)
    {
        if (_options.Filters.Count == 0)
        {
            return;
        }

        var request = MqttPackets.Subscribe(_options, _session.NextId());
        await wire.WriteAsync(request).ConfigureAwait(false);
        var answer = await SubAckAsync(wire, cancellationToken).ConfigureAwait(false);
        foreach (var code in answer.ReasonCodes)
        {
            if (code >= MqttSubscribeReasonCode.UnspecifiedError)
            {
                throw MqttErrors.FromSubscribe(code, answer.ReasonString);
            }

            if ((int)code < (int)_options.Quality)
            {
                throw MqttErrors.Violation($"The server grants only QoS {(int)code}, less than {nameof(MqttTransportOptions.Quality)}.");
            }
        }
    }

    /// <summary>Waits for SUBACK. Messages of the session may come before it; the connection reads them later.</summary>
    private static async Task<MqttSubAckPacket> SubAckAsync(MqttWire wire, CancellationToken cancellationToken)
    {
        MqttPacket? answer;
        while ((answer = wire.TakeFirst(MqttControlPacketType.SubAck) ?? wire.TakeFirst(MqttControlPacketType.Disconnect)) is null)
        {
            await FillAsync(wire, cancellationToken).ConfigureAwait(false);
        }

        return answer as MqttSubAckPacket ?? throw MqttErrors.FromDisconnect((MqttDisconnectPacket)answer);
    }

    private static async Task FillAsync(MqttWire wire, CancellationToken cancellationToken)
    {
        if (await wire.FillAsync(cancellationToken).ConfigureAwait(false) == 0)
        {
            throw MqttErrors.Lost();
        }
    }
}
