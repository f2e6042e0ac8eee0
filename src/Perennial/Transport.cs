using System.Diagnostics.CodeAnalysis;
using Perennial.Engine;
using Perennial.Requests;

namespace Perennial;

/// <summary>
/// One stream of messages, kept alive over connections that die. Where the server numbers its messages, a reader gets each exactly
/// once and in order; where it does not, the reader is told.
/// </summary>
/// <remarks>
/// Messages are consumed either as a sequence (<see cref="ReadAllAsync"/>) or by event (<see cref="MessageReceived"/>), never both.
/// All members are thread safe; the sequence has one reader at a time. Events are raised one at a time, in order, away from the
/// thread that reads the network, and a handler may call any member. A new protocol is a subclass that overrides
/// <see cref="OpenAsync"/>.
/// </remarks>
public abstract partial class Transport : IAsyncDisposable, IDisposable
{
    private readonly TransportCore _core;
    private readonly TransportEngine _engine;

    /// <summary>Checks the options and prepares the transport; connects nothing.</summary>
    /// <param name="kind">The protocol's name, as in <see cref="Kind"/>.</param>
    /// <param name="options">What this transport is told.</param>
    /// <param name="services">Clock, chance, logs and network; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed, out of range or contradicts the services; the message names it.</exception>
    protected Transport(string kind, TransportOptions options, TransportServices? services = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentNullException.ThrowIfNull(options);
        services ??= TransportServices.Default;
        options.Validate();
        options.ValidateWith(services.HttpHandler);
        _core = new TransportCore(kind, options, services, this);
        _engine = new TransportEngine(_core, OpenAsync);
    }

    /// <summary>Names this transport among others; unique and without meaning.</summary>
    public string Id => _core.Id;

    /// <summary>The protocol's name, such as <c>sse</c>.</summary>
    public string Kind => _core.Kind;

    /// <summary>Where the transport is in its life.</summary>
    public TransportState State => _core.Life.State;

    /// <summary>Whether a connection is open.</summary>
    public bool IsConnected => State == TransportState.Connected;

    /// <summary>
    /// The id of the last message handed to the buffer, after which the next connection goes on, or <see langword="null"/>. It may be ahead
    /// of the reader; to go on in another process save <see cref="ResumePoint"/>.
    /// </summary>
    public string? LastEventId => _core.Cursor.Value;

    /// <summary>
    /// Gets where another process can go on with this stream: after the last message that the reader took, or, where messages are consumed
    /// by <see cref="MessageReceived"/>, after the last one whose handlers returned. Save it after each message was processed, and hand it
    /// to <see cref="TransportOptions.ResumeFrom"/>. <see langword="null"/> before the first connection, and where the stream cannot be
    /// read again by GET. Messages that a full buffer dropped count as taken. It can be read after the transport was closed or disposed.
    /// </summary>
    public ResumePoint? ResumePoint => _core.ResumePoint;

    /// <summary>
    /// Completes, and never fails, when the stream ends: with how it did. After another <see cref="ConnectAsync"/> it is another task.
    /// </summary>
    public Task<StreamEnd> Completion => _core.Life.Session.Ended;

    /// <summary>
    /// Connects, retrying like any later reconnect, and returns at the first established connection. Returns at once while
    /// connected; while reconnecting it waits for the next connection. After <see cref="TransportState.Failed"/> or <see cref="TransportState.Closed"/> it starts again with fresh
    /// attempts and the same resume point.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; the call that began connecting also closes the transport.</param>
    /// <exception cref="TransportException">Attempts are spent, the error is final, or the transport was closed meanwhile.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The transport is disposed.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default) => _engine.ConnectAsync(cancellationToken);

    /// <summary>
    /// Asks the server to stop producing, once there is a connection. What it sends until it stops still arrives, and the stream
    /// then ends as stopped where the server says so.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting for the server's answer.</param>
    /// <exception cref="TransportException">The server refused, could not be reached, or the transport is closed or failed.</exception>
    /// <exception cref="NotSupportedException">The protocol has no such request.</exception>
    public Task StopAsync(CancellationToken cancellationToken = default) => _engine.StopAsync(cancellationToken);

    /// <summary>
    /// Holds back further messages, from this moment and but for one that may be on its way to the reader, and stops reading from
    /// the network: the sender is slowed down, and nothing is lost.
    /// </summary>
    public void Pause() => _core.Buffer.Pause(_core.Time.GetTimestamp());

    /// <summary>Ends a pause; what waited comes first.</summary>
    public void Resume() => _core.Buffer.Resume();

    /// <summary>
    /// Leaves the stream: closes the connection, ends every wait and any pause, and connects no more. Messages that had arrived can
    /// still be read. The server is not asked to stop. Idempotent.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for the connection to close, which is at most 2 s.</param>
    public Task CloseAsync(CancellationToken cancellationToken = default) => _engine.CloseAsync(cancellationToken);

    /// <summary>What the transport did so far.</summary>
    public TransportMetrics GetMetrics() => _engine.GetMetrics();

    /// <summary>
    /// Closes the transport for good, forgets messages that nobody read, and returns when nothing of it is left: no socket, timer or
    /// task, but for handlers that take longer than 2 s. Idempotent. Inside a handler it does not wait for that handler.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _engine.DisposeAsync(DisposeCoreAsync);
    }

    /// <summary>
    /// Begins what <see cref="DisposeAsync"/> does and returns without waiting for it. For containers that are disposed synchronously, and
    /// for <c>using</c> without <c>await</c>. Idempotent.
    /// </summary>
    [SuppressMessage("Usage", "CA1816", Justification = "DisposeAsync calls SuppressFinalize.")]
    [SuppressMessage("Design", "CA1063", Justification = "Subclasses free what they hold in DisposeCoreAsync, which both ways of disposal call.")]
    public void Dispose() => _ = DisposeAsync().AsTask();

    /// <summary>Opens one connection, in one try. The transport decides about others.</summary>
    /// <param name="context">Which attempt this is, and where the stream is to go on.</param>
    /// <param name="cancellationToken">Cancelled at <see cref="TransportOptions.ConnectTimeout"/> or when the caller leaves.</param>
    /// <exception cref="TransportException">It could not be opened; says whether another try may help.</exception>
    protected abstract ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken);

    /// <summary>Frees what the subclass holds beyond its connections. Called once or more, after the last connection.</summary>
    protected virtual ValueTask DisposeCoreAsync() => ValueTask.CompletedTask;

    /// <summary>Where the stream is.</summary>
    internal Uri Endpoint => _core.Options.Endpoint;

    /// <summary>Whether somebody consumes the messages at present, as a sequence or by events.</summary>
    internal bool IsBeingRead => _engine.IsBeingRead;

    /// <summary>Whether messages flow, and if not, what holds them up and since when.</summary>
    internal FlowStatus GetFlow() => _core.GetFlow(IsBeingRead);

    /// <summary>Sends a request, whose replies are expected from before it leaves.</summary>
    internal PendingRequest Request(ReadOnlySpan<byte> value, RequestOptions options, bool isSingle) => _engine.Request(value, options, isSingle);

    /// <summary>Opens a connection for another transport, which keeps it and decides about others.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    internal ValueTask<TransportConnection> OpenForAsync(ConnectContext context, CancellationToken cancellationToken) => OpenAsync(context, cancellationToken);
}
