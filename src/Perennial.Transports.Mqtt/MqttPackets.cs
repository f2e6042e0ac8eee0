using System.Buffers;
using System.Globalization;
using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt;

/// <summary>Makes the packets that the transport writes, and reads what a message says.</summary>
internal static class MqttPackets
{
    public static MqttConnectPacket Connect(MqttTransportOptions options, string clientId, bool startsClean)
    {
        var userInfo = options.Endpoint.UserInfo.Split(':', 2);
        var userName = options.UserName ?? (userInfo[0].Length > 0 ? Uri.UnescapeDataString(userInfo[0]) : null);
        var password = options.Password ?? (userInfo.Length > 1 ? Uri.UnescapeDataString(userInfo[1]) : null);
        var packet = new MqttConnectPacket
        {
            ClientId = clientId,
            CleanSession = startsClean,
            KeepAlivePeriod = (ushort)options.KeepAlive.TotalSeconds,
            SessionExpiryInterval = options.HasSession ? (uint)Math.Ceiling(options.SessionExpiry.TotalSeconds) : 0,
            ReceiveMaximum = (ushort)options.ReceiveMaximum,
            RequestProblemInformation = true,
            Username = userName,
            Password = password is null ? null : Encoding.UTF8.GetBytes(password),
        };
        if (options.Will is { } will)
        {
            packet.WillFlag = true;
            packet.WillTopic = will.Topic;
            packet.WillMessage = Encoding.UTF8.GetBytes(will.Payload);
            packet.WillQoS = LevelOf(will.Quality);
            packet.WillRetain = will.Retain;
            packet.WillDelayInterval = (uint)will.Delay.TotalSeconds;
        }

        return packet;
    }

    public static MqttSubscribePacket Subscribe(MqttTransportOptions options, ushort packetId) => new()
    {
        PacketIdentifier = packetId,
        TopicFilters = [.. options.Filters.Select(filter => new MqttTopicFilter
        {
            Topic = filter,
            QualityOfServiceLevel = LevelOf(options.Quality),
            RetainHandling = MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly,
        })],
    };

    public static MqttPublishPacket Publish(
        OutgoingMessage message, string topic, MqttTransportOptions options, ushort packetId, bool isRepeated)
    {
        var packet = new MqttPublishPacket
        {
            PacketIdentifier = packetId,
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(message.Data),
            QualityOfServiceLevel = LevelOf(options.Quality),
            Dup = isRepeated,
        };
        if (options.Version == MqttVersion.V5)
        {
            packet.ContentType = message.Kind == OutgoingKind.Json ? "application/json" : null;
            packet.PayloadFormatIndicator = message.Kind == OutgoingKind.Binary
                ? MqttPayloadFormatIndicator.Unspecified
                : MqttPayloadFormatIndicator.CharacterData;
            packet.UserProperties = options.IdProperty is { } name
                ? [new MqttUserProperty(name, Encoding.UTF8.GetBytes(message.Key).AsMemory())]
                : null;
        }

        return packet;
    }

    /// <summary>
    /// The goodbye. A session under a random id is of no use any more; one under a given id stays, with the expiry of its connection.
    /// </summary>
    public static MqttDisconnectPacket Disconnect(MqttTransportOptions options) => new()
    {
        ReasonCode = MqttDisconnectReasonCode.NormalDisconnection,
        SessionExpiryInterval =
            options is { HasSession: true, ClientId: not null } ? (uint)Math.Ceiling(options.SessionExpiry.TotalSeconds) : 0,
    };

    /// <summary>Adds a message to the batch. Returns the answer to a repetition, which is not added.</summary>
    public static MqttPacket? Read(MqttPublishPacket packet, MqttTransportOptions options, MqttSession session, MessageBatch batch) =>
        session.Add(
            packet,
            Property(packet, options.IdProperty),
            Property(packet, options.EventTypeProperty) ?? packet.Topic,
            batch);

    public static MqttQualityOfServiceLevel LevelOf(MqttQuality quality) => quality switch
    {
        MqttQuality.AtMostOnce => MqttQualityOfServiceLevel.AtMostOnce,
        MqttQuality.AtLeastOnce => MqttQualityOfServiceLevel.AtLeastOnce,
        _ => MqttQualityOfServiceLevel.ExactlyOnce,
    };

    public static string NewClientId() =>
        string.Create(CultureInfo.InvariantCulture, $"perennial-{Guid.NewGuid():N}")[..23];     // every server takes 23 letters and digits

    private static string? Property(MqttPublishPacket packet, string? name)
    {
        if (name is null || packet.UserProperties is not { } properties)
        {
            return null;
        }

        foreach (var property in properties)
        {
            if (string.Equals(property.Name, name, StringComparison.Ordinal) && property.ValueBuffer.Length > 0)
            {
                return Encoding.UTF8.GetString(property.ValueBuffer.Span);
            }
        }

        return null;
    }
}
