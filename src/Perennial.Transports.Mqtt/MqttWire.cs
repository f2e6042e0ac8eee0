using System.Buffers;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Perennial.Transports.Mqtt;

/// <summary>
/// Reads and writes the packets of one connection. MQTTnet's formatter spells them; the framing is here, so that the size of a packet is
/// checked before its bytes are in memory. One reader at a time; any thread may write.
/// </summary>
internal sealed class MqttWire : IDisposable
{
    private const int BlockSize = 16 * 1024;

    /// <summary>What a packet may hold beside the payload: a topic and properties.</summary>
    private const int LargestHead = 128 * 1024;

    private readonly Stream _stream;
    private readonly int _maxMessageBytes;
    private readonly MqttPacketFormatterAdapter _encoder;
    private readonly MqttPacketFormatterAdapter _decoder;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ArrayBufferWriter<byte> _output = new();
    private byte[] _input = new byte[BlockSize];
    private int _start;
    private int _end;
    private bool _hasAnswered;      // the first packet of a server is a CONNACK

    public MqttWire(Stream stream, MqttVersion version, int maxMessageBytes)
    {
        _stream = stream;
        _maxMessageBytes = maxMessageBytes;
        var number = version == MqttVersion.V5 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311;
        _encoder = new MqttPacketFormatterAdapter(number, new MqttBufferWriter(1024, 64 * 1024));
        _decoder = new MqttPacketFormatterAdapter(number, new MqttBufferWriter(16, 1024));
    }

    /// <summary>Waits for bytes. Returns how many arrived, 0 at the end.</summary>
    public async ValueTask<int> FillAsync(CancellationToken cancellationToken)
    {
        MakeRoom();
        try
        {
            var count = await _stream.ReadAsync(_input.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            _end += count;
            return count;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw MqttErrors.Lost(e);
        }
    }

    /// <summary>Takes the next packet, or returns <see langword="null"/> if it has not arrived completely.</summary>
    /// <exception cref="TransportException">The bytes are not a packet of a server, or the packet is too large.</exception>
    public MqttPacket? Take()
    {
        if (!TryFrame(_start, out var body, out var length))
        {
            return null;
        }

        var start = _start;
        _start = body + length;
        return Decode(start, body, length);
    }

    /// <summary>Takes the first packet of a type that has arrived. Packets before it stay.</summary>
    /// <param name="type">A type whose packets refer to no bytes of the input once decoded.</param>
    /// <exception cref="TransportException">The bytes are not packets of a server, or a packet is too large.</exception>
    public MqttPacket? TakeFirst(MqttControlPacketType type)
    {
        for (var start = _start; TryFrame(start, out var body, out var length); start = body + length)
        {
            if (_input[start] >> 4 == (int)type)
            {
                var packet = Decode(start, body, length);
                var size = body + length - start;
                _input.AsSpan(_start, start - _start).CopyTo(_input.AsSpan(_start + size));
                _start += size;
                return packet;
            }
        }

        return null;
    }

    /// <summary>Writes a packet behind those that wait.</summary>
    public ValueTask WriteAsync(MqttPacket packet) => WriteAsync(packet, isFlushed: true);

    /// <summary>Adds a packet to those that the next <see cref="FlushAsync"/> writes.</summary>
    public ValueTask QueueAsync(MqttPacket packet) => WriteAsync(packet, isFlushed: false);

    public ValueTask FlushAsync() => _output.WrittenCount == 0 ? ValueTask.CompletedTask : WriteAsync(null, isFlushed: true);

    public void Dispose() => _stream.Dispose();

    private async ValueTask WriteAsync(MqttPacket? packet, bool isFlushed)
    {
        await _writing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (packet is not null)
            {
                var encoded = _encoder.Encode(packet);
                _output.Write(encoded.Packet);
                foreach (var part in encoded.Payload)
                {
                    _output.Write(part.Span);
                }

                _encoder.Cleanup();
            }

            if (isFlushed || _output.WrittenCount >= BlockSize)
            {
                await _stream.WriteAsync(_output.WrittenMemory, CancellationToken.None).ConfigureAwait(false);   // whole packets only
                _output.ResetWrittenCount();
            }
        }
        catch (Exception e) when (e is not TransportException)
        {
            throw MqttErrors.Lost(e);
        }
        finally
        {
            _writing.Release();
        }
    }

    private void RequireServerPacket(byte first)
    {
        var type = (MqttControlPacketType)(first >> 4);
        var isPossible = _hasAnswered
            ? type is MqttControlPacketType.Publish or MqttControlPacketType.PubAck or MqttControlPacketType.PubRec
                or MqttControlPacketType.PubRel or MqttControlPacketType.PubComp or MqttControlPacketType.SubAck
                or MqttControlPacketType.PingResp or MqttControlPacketType.Disconnect
            : type is MqttControlPacketType.ConnAck && (first & 0x0F) == 0;
        if (!isPossible)
        {
            throw MqttErrors.Violation("The server does not speak MQTT.");
        }
    }

    /// <summary>Whether a whole packet begins at an index. Its size is judged as soon as it is known.</summary>
    private bool TryFrame(int start, out int body, out int length)
    {
        (body, length) = (start + 1, 0);
        if (start == _end)
        {
            return false;
        }

        RequireServerPacket(_input[start]);
        for (var shift = 0; body < _end; shift += 7)
        {
            // The remaining length: one to four bytes (MQTT 5, section 1.5.5).
            var next = _input[body++];
            length |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return length <= (long)_maxMessageBytes + LargestHead ? _end - body >= length : throw MqttErrors.TooLarge(_maxMessageBytes);
            }

            if (shift == 21)
            {
                throw MqttErrors.Violation("The server sent a packet whose length is malformed.");
            }
        }

        return false;
    }

    private MqttPacket Decode(int start, int body, int length)
    {
        try
        {
            var packet = _decoder.Decode(
                new ReceivedMqttPacket(_input[start], new ArraySegment<byte>(_input, body, length), body - start + length));
            _hasAnswered = true;
            return packet is MqttPublishPacket { Payload.Length: var size } && size > _maxMessageBytes
                ? throw MqttErrors.TooLarge(_maxMessageBytes)
                : packet;
        }
        catch (Exception e) when (e is not TransportException)
        {
            throw MqttErrors.Violation("The server sent a malformed packet.", e);
        }
    }

    /// <summary>Makes room for at least half a block. The array grows with what has arrived, not with what a packet announces.</summary>
    private void MakeRoom()
    {
        var arrived = _end - _start;
        if (arrived == 0 && _input.Length > 16 * BlockSize)
        {
            (_input, _start, _end) = (new byte[BlockSize], 0, 0);       // after a large message
        }
        else if (arrived == 0)
        {
            (_start, _end) = (0, 0);
        }
        else if (_input.Length - _end < BlockSize / 2)
        {
            var target = arrived > _input.Length / 2 ? new byte[2 * _input.Length] : _input;
            _input.AsSpan(_start, arrived).CopyTo(target);
            (_input, _start, _end) = (target, 0, arrived);
        }
    }
}
