using MQTTnet.Packets;

namespace Perennial.Transports.Mqtt;

/// <summary>
/// Sends pings, which keep a connection alive. Their answers also show which acknowledgements have arrived: a server handles packets in
/// order. Any thread may ping; answers are noted by the reader.
/// </summary>
internal sealed class MqttPings : IAsyncDisposable
{
    private readonly MqttWire _wire;
    private readonly MqttSession _session;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private (long Older, long Newer) _marks;        // messages handed over before the last two pings
    private long _sentAt;                           // 0 while no ping waits for its answer
    private int _isWriting;

    public MqttPings(MqttWire wire, MqttSession session, TimeSpan interval, TimeProvider time)
    {
        _wire = wire;
        _session = session;
        _time = time;
        _timer = time.CreateTimer(static self => _ = ((MqttPings)self!).SendAsync(), this, interval, interval);
    }

    /// <summary>Whether a ping waits for its answer.</summary>
    public bool IsWaiting => Volatile.Read(ref _sentAt) != 0;

    /// <summary>Writes a ping, unless one is being written. A failure is left to the reader to find.</summary>
    public async Task SendAsync()
    {
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
        {
            return;
        }

        try
        {
            lock (_gate)
            {
                _marks = (_marks.Newer, _session.HandedOverCount);
            }

            Volatile.Write(ref _sentAt, _time.GetTimestamp());
            await _wire.WriteAsync(MqttPingReqPacket.Instance).ConfigureAwait(false);
        }
        catch (TransportException)
        {
            // The connection is lost, or was closed meanwhile.
        }
        finally
        {
            Volatile.Write(ref _isWriting, 0);
        }
    }

    /// <summary>
    /// Notes an answer. The mark of the ping before the last one counts, because an acknowledgement may have been on its way into the
    /// output when the last one was taken.
    /// </summary>
    /// <returns>The time since the ping, or null if none was waiting.</returns>
    public TimeSpan? NoteAnswer()
    {
        lock (_gate)
        {
            _session.Confirm(_marks.Older);
        }

        return Interlocked.Exchange(ref _sentAt, 0) is var sent && sent != 0 ? _time.GetElapsedTime(sent) : null;
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();
}
