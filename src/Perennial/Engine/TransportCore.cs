using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>What the parts of one transport share: identity, options, clock, buffer, cursor, counts, and the one state.</summary>
internal sealed class TransportCore
{
    private readonly Lock _gate = new();
    private TransportState _state;          // written by TryEnter only

    public TransportCore(string kind, TransportOptions options, TransportServices services, Transport transport)
    {
        Kind = kind;
        Options = options;
        Services = services;
        Logger = services.LoggerFactory.CreateLogger("Perennial.Transport");
        Metrics = new MetricsRecorder(kind, services.Time);
        Cursor = new ResumeCursor(options.LastEventId);
        Buffer = new MessageBuffer(options.Buffer, Metrics.Latency, () => Events!.Look());
        Handlers = new EventHandlers(transport, options.Buffer, Metrics, Logger);
        Events = new EventDispatcher(Buffer, Handlers.Raise, Handlers.Deliver, count => Log.EventsSkipped(Logger, Kind, Id, count));
    }

    public string Id { get; } = Guid.CreateVersion7().ToString("N");

    public string Kind { get; }

    public TransportOptions Options { get; }

    public TransportServices Services { get; }

    public TimeProvider Time => Services.Time;

    public ILogger Logger { get; }

    public MetricsRecorder Metrics { get; }

    public ResumeCursor Cursor { get; }

    public MessageBuffer Buffer { get; }

    public EventHandlers Handlers { get; }

    public EventDispatcher Events { get; }

    public ConnectionSlot Connection { get; } = new();

    public TransportState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Moves to a state if the table allows it. The only place where the state changes.</summary>
    public bool TryEnter(TransportState next)
    {
        TransportState from;
        lock (_gate)
        {
            if (!_state.CanBecome(next))
            {
                return false;
            }

            from = _state;
            _state = next;
        }

        if (from != next)
        {
            Log.StateChanged(Logger, Kind, Id, from, next);
        }

        return true;
    }

    public void Report(TransportException error, bool isRecoverable, int attempt)
    {
        Metrics.Error(error);
        Events.Post(new ErrorEvent(error, isRecoverable, State, attempt, Time.GetUtcNow()));
    }

    public void ReportGap(GapEvent gap)
    {
        Metrics.Gap();
        Log.Gap(Logger, Kind, Id, gap.Reason);
        Events.Post(gap);
    }
}
