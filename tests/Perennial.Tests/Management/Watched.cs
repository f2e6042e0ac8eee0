using System.Collections.Concurrent;
using Perennial.Management;

namespace Perennial.Tests.Management;

/// <summary>
/// One managed transport of a mix, its reader, and every event as it was told by the transport itself and by the manager.
/// </summary>
internal sealed class Watched
{
    private readonly string _stream;
    private readonly bool _isNumbered;
    private long _last;

    public Watched(Transport transport, string stream)
    {
        Transport = transport;
        _stream = stream;
        _isNumbered = transport.Kind is not "websocket";
        transport.Connecting += (_, e) => Direct.Enqueue(e);
        transport.Connected += (_, e) => Direct.Enqueue(e);
        transport.Reconnecting += (_, e) => Direct.Enqueue(e);
        transport.ErrorOccurred += (_, e) => Direct.Enqueue(e);
        transport.GapDetected += (_, e) => Direct.Enqueue(e);
        transport.Closed += (_, e) => Direct.Enqueue(e);
    }

    public Transport Transport { get; }

    /// <summary>What the transport itself announced, in order.</summary>
    public ConcurrentQueue<object> Direct { get; } = new();

    /// <summary>What the manager announced of it, in order.</summary>
    public ConcurrentQueue<object> Forwarded { get; } = new();

    public Task Reading { get; set; } = Task.CompletedTask;

    public long Received { get; private set; }

    public string? Wrong { get; private set; }

    public static void Forward(ManagerEvents events, ConcurrentDictionary<string, Watched> all)
    {
        events.Connecting += (_, e) => all[e.Id].Forwarded.Enqueue(e.Event);
        events.Connected += (_, e) => all[e.Id].Forwarded.Enqueue(e.Event);
        events.Reconnecting += (_, e) => all[e.Id].Forwarded.Enqueue(e.Event);
        events.ErrorOccurred += (_, e) => all[e.Id].Forwarded.Enqueue(e.Event);
        events.GapDetected += (_, e) => all[e.Id].Forwarded.Enqueue(e.Event);
        events.Closed += (_, e) => all[e.Id].Forwarded.Enqueue(e.Event);
    }

    /// <summary>Reads to the end, and checks that every message is this stream's and the next one.</summary>
    public async Task ReadAsync()
    {
        await foreach (var message in Transport.ReadAllAsync())
        {
            var parts = message.Text.Split(':');
            var number = long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
            var isNext = _isNumbered ? number == _last + 1 : number > _last;
            if (!string.Equals(parts[0], _stream, StringComparison.Ordinal) || !isNext)
            {
                Wrong ??= $"{Transport.Kind} {_stream} got {message.Text} after {_last}";
            }

            _last = number;
            Received++;
        }
    }
}
