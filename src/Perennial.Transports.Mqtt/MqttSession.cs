using System.Globalization;
using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt;

/// <summary>
/// The client's half of a session, which outlives connections (MQTT 5, section 4.1): what was read without a complete acknowledgement, and
/// what was sent without one. Reading and opening a connection never happen at the same time; sends are guarded by a lock.
/// </summary>
/// <param name="isKept">Whether the server keeps the session while there is no connection.</param>
internal sealed class MqttSession(bool isKept)
{
    private const int RecentIds = 1000;

    private readonly Dictionary<ushort, HandedOver> _handedOver = [];       // QoS 1, by packet id: the acknowledgement may not have arrived
    private readonly Queue<(ushort PacketId, long Number)> _unconfirmed = new();
    private readonly Dictionary<ushort, int> _unreleased = [];              // QoS 2: handed over, no PUBREL yet; with the hash
    private readonly Queue<string> _recentIds = new();
    private readonly HashSet<string> _recent = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<ushort, MqttSend> _sends = [];
    private readonly HashSet<string> _lostSends = new(StringComparer.Ordinal);      // keys of sends that a lost session knew
    private ushort _lastId;
    private long _count;            // messages added to a batch
    private long _answered;         // the last of them that was handed over and has an acknowledgement
    private PendingMessage? _pending;

    /// <summary>The number of messages that were handed over. Read by any thread.</summary>
    public long HandedOverCount => Volatile.Read(ref _answered);

    /// <summary>How many messages are remembered because their acknowledgement may not have arrived.</summary>
    public int Unconfirmed => _unconfirmed.Count;

    /// <summary>Whether a connection was open before.</summary>
    public bool HasBegun { get; set; }

    /// <summary>Whether messages may be missing after any loss: there is no session, or a message came with QoS 0.</summary>
    public bool MayHaveLost { get; private set; } = !isKept;

    /// <summary>Whether a message with an id of its own was added.</summary>
    public bool HasIds { get; private set; }

    /// <summary>
    /// Adds a message that is not a repetition. It is acknowledged when it was handed over, which <see cref="TakeAnswer"/> is told.
    /// </summary>
    /// <returns>The answer to a repetition; null if the message was added.</returns>
    public MqttPacket? Add(MqttPublishPacket packet, string? id, string eventType, MessageBatch batch)
    {
        var hash = HashOf(packet);
        if (IsRepetition(packet, hash, id))
        {
            return AnswerTo(packet, hash);
        }

        var mark = new HandedOver(hash, ++_count);
        var data = packet.Payload.IsSingleSegment ? packet.Payload.FirstSpan : System.Buffers.BuffersExtensions.ToArray(packet.Payload);
        if (packet.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce)
        {
            MayHaveLost = true;
        }

        batch.Add(data, id is null ? default : Encoding.UTF8.GetBytes(id), eventType);
        HasIds |= id is not null;
        var cursor = id;
        if (id is null && !MayHaveLost)
        {
            // The session makes the position exact, not the message.
            cursor = _count.ToString(CultureInfo.InvariantCulture);
            batch.MoveCursor(Encoding.UTF8.GetBytes(cursor));
        }

        if (packet.QualityOfServiceLevel != MqttQualityOfServiceLevel.AtMostOnce)
        {
            _pending = new PendingMessage(packet.PacketIdentifier, packet.QualityOfServiceLevel, mark, cursor, id);
        }

        return null;
    }

    /// <summary>Records that the last message was handed over, and returns its acknowledgement; null if there is none.</summary>
    public MqttPacket? TakeAnswer()
    {
        if (_pending is not { } pending)
        {
            return null;
        }

        _pending = null;
        Remember(pending.Id);
        Volatile.Write(ref _answered, pending.Mark.Number);
        if (pending.Quality == MqttQualityOfServiceLevel.ExactlyOnce)
        {
            _unreleased[pending.PacketId] = pending.Mark.Hash;
            return new MqttPubRecPacket { PacketIdentifier = pending.PacketId };
        }

        _handedOver[pending.PacketId] = pending.Mark;
        _unconfirmed.Enqueue((pending.PacketId, pending.Mark.Number));
        return new MqttPubAckPacket { PacketIdentifier = pending.PacketId };
    }

    /// <summary>Forgets messages up to a number, because the server has their acknowledgements and will not repeat them.</summary>
    public void Confirm(long number)
    {
        while (_unconfirmed.TryPeek(out var oldest) && oldest.Number <= number)
        {
            _unconfirmed.Dequeue();
            if (_handedOver.TryGetValue(oldest.PacketId, out var known) && known.Number == oldest.Number)
            {
                _handedOver.Remove(oldest.PacketId);
            }
        }
    }

    /// <summary>Finds out whether the last message of the connection before was handed over: then the cursor moved to it.</summary>
    public void Settle(string? cursor)
    {
        if (_pending is { } pending && pending.Cursor is not null && string.Equals(pending.Cursor, cursor, StringComparison.Ordinal))
        {
            _ = TakeAnswer();
        }

        _pending = null;
    }

    /// <summary>
    /// Notes PUBREL. The message is remembered until the answer to it has surely arrived: mosquitto 2.0 publishes a released message again
    /// if two connections break before it has the answer.
    /// </summary>
    public void Release(ushort packetId)
    {
        if (_unreleased.Remove(packetId, out var hash))
        {
            // The next message is handed over after the answer to PUBREL was written.
            _handedOver[packetId] = new HandedOver(hash, _answered + 1);
            _unconfirmed.Enqueue((packetId, _answered + 1));
        }
    }

    /// <summary>Forgets what belongs to a session that the server does not have any more. Sends without an answer end as unknown.</summary>
    public void Lose()
    {
        _handedOver.Clear();
        _unconfirmed.Clear();
        _unreleased.Clear();
        lock (_gate)
        {
            _lostSends.Clear();
            _lostSends.UnionWith(_sends.Values.Where(static send => send.IsWritten).Select(static send => send.Key));
            _sends.Clear();
        }
    }

    /// <summary>The send with this key, which may have been written before, or a new one.</summary>
    /// <exception cref="TransportException">It was written in a session that the server has lost.</exception>
    public MqttSend SendFor(OutgoingMessage message)
    {
        lock (_gate)
        {
            if (_lostSends.Remove(message.Key))
            {
                throw new TransportException(
                    TransportErrorCode.ConnectionLost, "The server has lost the session before it acknowledged the message.")
                {
                    Delivery = DeliveryStatus.Unknown,
                };
            }

            if (_sends.Values.FirstOrDefault(send => string.Equals(send.Key, message.Key, StringComparison.Ordinal)) is { } known)
            {
                known.Restart();
                return known;
            }

            var added = new MqttSend(message.Key, NextIdLocked());
            _sends.Add(added.PacketId, added);
            return added;
        }
    }

    public MqttSend? Find(ushort packetId)
    {
        lock (_gate)
        {
            return _sends.GetValueOrDefault(packetId);
        }
    }

    public void Remove(MqttSend send)
    {
        lock (_gate)
        {
            _sends.Remove(send.PacketId);
        }
    }

    /// <summary>
    /// A packet id that no send uses. Ids are not used again soon, so that a server cannot take a new message for an old one.
    /// </summary>
    public ushort NextId()
    {
        lock (_gate)
        {
            return NextIdLocked();
        }
    }

    private ushort NextIdLocked()
    {
        if (_sends.Count >= ushort.MaxValue / 2)
        {
            throw new TransportException(TransportErrorCode.SendQueueFull, "Too many sends of this session have no answer.")
            {
                Delivery = DeliveryStatus.NotSent,
            };
        }

        do
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
        }
        while (_sends.ContainsKey(_lastId));
        return _lastId;
    }

    private bool IsRepetition(MqttPublishPacket packet, int hash, string? id) => packet.QualityOfServiceLevel switch
    {
        _ when id is not null && _recent.Contains(id) => true,
        MqttQualityOfServiceLevel.ExactlyOnce when _unreleased.ContainsKey(packet.PacketIdentifier) => true,
        MqttQualityOfServiceLevel.AtMostOnce => false,
        // A server may use the id of an acknowledged message again, so the content decides, too.
        _ => packet.Dup && _handedOver.TryGetValue(packet.PacketIdentifier, out var before) && before.Hash == hash,
    };

    private MqttPacket? AnswerTo(MqttPublishPacket packet, int hash)
    {
        switch (packet.QualityOfServiceLevel)
        {
            case MqttQualityOfServiceLevel.AtLeastOnce:
                return new MqttPubAckPacket { PacketIdentifier = packet.PacketIdentifier };
            case MqttQualityOfServiceLevel.ExactlyOnce:
                _unreleased[packet.PacketIdentifier] = hash;
                return new MqttPubRecPacket { PacketIdentifier = packet.PacketIdentifier };
            default:
                return MqttPingReqPacket.Instance;      // nothing to acknowledge
        }
    }

    private void Remember(string? id)
    {
        if (id is null || !_recent.Add(id))
        {
            return;
        }

        _recentIds.Enqueue(id);
        if (_recentIds.Count > RecentIds)
        {
            _recent.Remove(_recentIds.Dequeue());
        }
    }

    private static int HashOf(MqttPublishPacket packet)
    {
        var hash = new HashCode();
        hash.Add(packet.Topic, StringComparer.Ordinal);
        foreach (var part in packet.Payload)
        {
            hash.AddBytes(part.Span);
        }

        foreach (var property in packet.UserProperties ?? [])
        {
            hash.Add(property.Name, StringComparer.Ordinal);
            hash.AddBytes(property.ValueBuffer.Span);
        }

        return hash.ToHashCode();
    }

    /// <summary>What is remembered of a message with QoS 1.</summary>
    private readonly record struct HandedOver(int Hash, long Number);

    /// <summary>A message that was added to a batch and perhaps not handed over yet.</summary>
    private sealed record PendingMessage(
        ushort PacketId, MqttQualityOfServiceLevel Quality, HandedOver Mark, string? Cursor, string? Id);
}
