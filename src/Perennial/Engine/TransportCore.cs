using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>The objects that the parts of one transport share: identity, options, clock, buffer, cursor, counters and life cycle.</summary>
internal sealed class TransportCore
{
    private string? _id;
    private RequestTable? _requests;
    private EventDispatcher? _events;
    private volatile Uri? _resumeEndpoint;

    /// <param name="kind">The protocol's name.</param>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler.</param>
    /// <param name="sender">The transport, as the sender of its events.</param>
    public TransportCore(string kind, TransportOptions options, TransportServices services, object sender)
    {
        Sender = sender;
        Kind = kind;
        Options = options;
        Services = services;
        Metrics = new MetricsRecorder(kind, services.Time);
        Logger = services.LoggerFactory.CreateSafeLogger("Perennial.Transport", Metrics);
        Cursor = new ResumeCursor(options.StartId, options.IsStartExact, Gate);
        _resumeEndpoint = options.ResumeFrom?.Endpoint;
        Buffer = new MessageBuffer(options.BufferRules, Metrics, static core => ((TransportCore)core!).UseEvents().Wake(), this);
        Connection = new ConnectionSlot(Gate);
        Life = new LifeCycle(this);
    }

    /// <summary>
    /// The lock for rare changes: state, handlers, and connections that open and close. Code under it neither waits nor calls code of the
    /// application. The buffer has a lock of its own, which may be taken under this one.
    /// </summary>
    public Lock Gate { get; } = new();

    public string Id => LazyInitializer.EnsureInitialized(ref _id, static () => Guid.CreateVersion7().ToString("N"))!;

    public string Kind { get; }

    public TransportOptions Options { get; }

    public TransportServices Services { get; }

    /// <summary>The transport, as the sender of its events.</summary>
    public object Sender { get; }

    public TimeProvider Time => Services.Time;

    public ILogger Logger { get; }

    public MetricsRecorder Metrics { get; }

    public ResumeCursor Cursor { get; }

    public MessageBuffer Buffer { get; }

    public ConnectionSlot Connection { get; }

    public LifeCycle Life { get; }

    /// <summary>
    /// The dispatcher of events. <see langword="null"/> until an event has a handler or the buffer has something to announce.
    /// </summary>
    public EventDispatcher? Events => Volatile.Read(ref _events);

    /// <summary>Whether messages are consumed by events.</summary>
    public bool AreMessagesHandled => Events is { Handlers.ConsumeMessages: true };

    /// <summary>The requests that wait for replies. <see langword="null"/> until the first request.</summary>
    public RequestTable? Requests => Volatile.Read(ref _requests);

    /// <summary>Whether a message was delivered since the transport was created. Written by the connection loop.</summary>
    public bool HasDelivered { get; set; }

    /// <summary>Whether a sequence is being read. Under the lock.</summary>
    public bool IsSequenceRead { get; set; }

    /// <summary>
    /// The position from which another client can continue. <see langword="null"/> if there is none or it is not known yet.
    /// </summary>
    public ResumePoint? ResumePoint
    {
        get
        {
            if (_resumeEndpoint is not { } endpoint)
            {
                return null;
            }

            var (id, isExact) = Buffer.IdAfterTaken(Events?.ReturnedBefore ?? long.MaxValue, Options.StartId, Options.IsStartExact);
            return new ResumePoint(endpoint, id) { IsExact = isExact };
        }
    }

    /// <summary>Stores the URL at which the stream can be read again, which an open connection determines.</summary>
    public void UseResumeEndpointOf(TransportConnection connection) =>
        _resumeEndpoint = connection.GetResumeEndpoint(Options.StreamEndpoint);

    public RequestTable UseRequests() =>
        LazyInitializer.EnsureInitialized(ref _requests, () => new RequestTable(Options.SendRules, Metrics, Time))!;

    public EventDispatcher UseEvents() => LazyInitializer.EnsureInitialized(ref _events, () => new EventDispatcher(this))!;

    public FlowStatus GetFlow(bool isBeingRead)
    {
        var (pausedSince, fullSince) = Buffer.HeldUpSince;
        var silence = Connection.Present?.PeerSilence;
        var now = Time.GetUtcNow();
        return new FlowStatus
        {
            StateSince = Moment(Life.StateSince),
            PausedSince = pausedSince is { } paused ? Moment(paused) : null,
            FullSince = fullSince is { } full ? Moment(full) : null,
            SilentSince = now - silence?.Silence,
            Silence = silence?.Silence ?? TimeSpan.Zero,
            IdleLimit = silence?.Limit ?? Timeout.InfiniteTimeSpan,
            IsBeingRead = isBeingRead,
        };

        DateTimeOffset Moment(long timestamp) => now - Time.GetElapsedTime(timestamp);
    }

    /// <summary>Counts an error, and announces it if the event has a handler.</summary>
    public void Report(TransportException error, bool isRecoverable, int attempt)
    {
        Metrics.Error(error);
        if (Events is { Handlers.Exist: true } events)
        {
            events.Post(new ErrorEvent
            {
                Exception = error,
                IsRecoverable = isRecoverable,
                State = Life.State,
                Attempt = attempt,
                Time = Time.GetUtcNow(),
            });
        }
    }

    public void ReportGap(GapEvent gap)
    {
        Metrics.Gap();
        Log.Gap(Logger, Kind, Id, gap.Reason);
        Events?.Post(gap);
    }
}
