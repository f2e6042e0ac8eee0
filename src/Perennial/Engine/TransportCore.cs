using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;
using Perennial.Requests;

namespace Perennial.Engine;

/// <summary>What the parts of one transport share: identity, options, clock, buffer, cursor, counts and life cycle.</summary>
internal sealed class TransportCore
{
    private RequestTable? _requests;

    public TransportCore(string kind, TransportOptions options, TransportServices services, Transport transport)
    {
        Kind = kind;
        Options = options;
        Services = services;
        Logger = services.LoggerFactory.CreateLogger("Perennial.Transport");
        Metrics = new MetricsRecorder(kind, services.Time, options.Reconnect.StableAfter);
        Cursor = new ResumeCursor(options.LastEventId);
        Buffer = new MessageBuffer(options.Buffer, Metrics.Latency, () => Events!.Look());
        Handlers = new EventHandlers(transport, options.Buffer, Metrics, Logger);
        Events = new EventDispatcher(this);
        Life = new LifeCycle(this);
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

    public LifeCycle Life { get; }

    /// <summary>The requests that wait for replies; <see langword="null"/> until there was one.</summary>
    public RequestTable? Requests => Volatile.Read(ref _requests);

    /// <summary>Whether a message was handed over since the transport was made. Written by the connection loop.</summary>
    public bool HasDelivered { get; set; }

    public RequestTable UseRequests() => LazyInitializer.EnsureInitialized(ref _requests, () => new RequestTable(this))!;

    public void Report(TransportException error, bool isRecoverable, int attempt) => Events.Post(Describe(error, isRecoverable, attempt));

    /// <summary>Counts an error, and says what there is to announce.</summary>
    public ErrorEvent Describe(TransportException error, bool isRecoverable, int attempt)
    {
        Metrics.Error(error);
        return new ErrorEvent(error, isRecoverable, Life.State, attempt, Time.GetUtcNow());
    }

    public void ReportGap(GapEvent gap)
    {
        Metrics.Gap();
        Log.Gap(Logger, Kind, Id, gap.Reason);
        Events.Post(gap);
    }
}
