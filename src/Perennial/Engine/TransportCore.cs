using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>What the parts of one transport share: identity, options, clock, buffer, cursor, counts and life cycle.</summary>
internal sealed class TransportCore
{
    private string? _id;
    private RequestTable? _requests;
    private EventDispatcher? _events;
    private volatile Uri? _resumeEndpoint;

    /// <param name="kind">The protocol's name.</param>
    /// <param name="options">What the transport is told.</param>
    /// <param name="services">Clock, chance, logs and network.</param>
    /// <param name="sender">The transport, as events name it.</param>
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
        Buffer = new MessageBuffer(options.BufferRules, Metrics, static core => ((TransportCore)core!).UseEvents().Look(), this);
        Connection = new ConnectionSlot(Gate);
        Life = new LifeCycle(this);
    }

    /// <summary>
    /// The lock of everything that happens but now and then: state, handlers, connections that come and go. Nothing waits and no code of
    /// others runs under it; the buffer, whose lock may be taken under it, has its own.
    /// </summary>
    public Lock Gate { get; } = new();

    public string Id => LazyInitializer.EnsureInitialized(ref _id, static () => Guid.CreateVersion7().ToString("N"))!;

    public string Kind { get; }

    public TransportOptions Options { get; }

    public TransportServices Services { get; }

    /// <summary>The transport, as events name it.</summary>
    public object Sender { get; }

    public TimeProvider Time => Services.Time;

    public ILogger Logger { get; }

    public MetricsRecorder Metrics { get; }

    public ResumeCursor Cursor { get; }

    public MessageBuffer Buffer { get; }

    public ConnectionSlot Connection { get; }

    public LifeCycle Life { get; }

    /// <summary>Who announces what happens; <see langword="null"/> until there was a handler or the buffer had something to announce.</summary>
    public EventDispatcher? Events => Volatile.Read(ref _events);

    /// <summary>Whether messages are consumed by events.</summary>
    public bool AreMessagesHandled => Events is { Handlers.ConsumeMessages: true };

    /// <summary>The requests that wait for replies; <see langword="null"/> until there was one.</summary>
    public RequestTable? Requests => Volatile.Read(ref _requests);

    /// <summary>Whether a message was handed over since the transport was made. Written by the connection loop.</summary>
    public bool HasDelivered { get; set; }

    /// <summary>Whether a sequence is being read. Under the lock.</summary>
    public bool IsSequenceRead { get; set; }

    /// <summary>Where another client can go on, and after what; <see langword="null"/> where it cannot, or is not known yet.</summary>
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

    /// <summary>A connection stands, and knows where the stream can be read again.</summary>
    public void UseResumeEndpointOf(TransportConnection connection) => _resumeEndpoint = connection.GetResumeEndpoint(Options.StreamEndpoint);

    public RequestTable UseRequests() => LazyInitializer.EnsureInitialized(ref _requests, () => new RequestTable(Options.SendRules, Metrics, Time))!;

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

    /// <summary>Counts an error, whether or not anybody listens, and announces it.</summary>
    public void Report(TransportException error, bool isRecoverable, int attempt)
    {
        Metrics.Error(error);
        if (Events is { Handlers.Exist: true } events)
        {
            events.Post(new ErrorEvent(error, isRecoverable, Life.State, attempt, Time.GetUtcNow()));
        }
    }

    public void ReportGap(GapEvent gap)
    {
        Metrics.Gap();
        Log.Gap(Logger, Kind, Id, gap.Reason);
        Events?.Post(gap);
    }
}
