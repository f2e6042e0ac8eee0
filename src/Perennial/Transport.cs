using System.Diagnostics.CodeAnalysis;
using System.Text;
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
public abstract class Transport : IAsyncDisposable, IDisposable
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

    /// <summary>An attempt to connect begins.</summary>
    public event EventHandler<ConnectingEvent>? Connecting
    {
        add => _engine.Handlers.Connecting += value;
        remove => _engine.Handlers.Connecting -= value;
    }

    /// <summary>A connection stands.</summary>
    public event EventHandler<ConnectedEvent>? Connected
    {
        add => _engine.Handlers.Connected += value;
        remove => _engine.Handlers.Connected -= value;
    }

    /// <summary>A connection was lost or could not be made; another attempt follows.</summary>
    public event EventHandler<ReconnectingEvent>? Reconnecting
    {
        add => _engine.Handlers.Reconnecting += value;
        remove => _engine.Handlers.Reconnecting -= value;
    }

    /// <summary>
    /// A message. While it has a handler, messages are consumed by events and the sequence cannot be read. Adding a handler does not
    /// connect.
    /// </summary>
    /// <exception cref="InvalidOperationException">The sequence is being read.</exception>
    public event EventHandler<StreamMessage>? MessageReceived
    {
        add => _engine.AddMessageHandler(value);
        remove => _engine.RemoveMessageHandler(value);
    }

    /// <summary>The stream completed or was stopped; all messages came before.</summary>
    public event EventHandler<CompletedEvent>? Completed
    {
        add => _engine.Handlers.Completed += value;
        remove => _engine.Handlers.Completed -= value;
    }

    /// <summary>Something went wrong, recoverable or not.</summary>
    public event EventHandler<ErrorEvent>? ErrorOccurred
    {
        add => _engine.Handlers.ErrorOccurred += value;
        remove => _engine.Handlers.ErrorOccurred -= value;
    }

    /// <summary>The transport is closed. Once for each start, and last.</summary>
    public event EventHandler<ClosedEvent>? Closed
    {
        add => _engine.Handlers.Closed += value;
        remove => _engine.Handlers.Closed -= value;
    }

    /// <summary>The buffer filled up to its high-water mark.</summary>
    public event EventHandler<BackpressureEvent>? Backpressure
    {
        add => _engine.Handlers.Backpressure += value;
        remove => _engine.Handlers.Backpressure -= value;
    }

    /// <summary>The buffer emptied below its high-water mark.</summary>
    public event EventHandler<DrainedEvent>? Drained
    {
        add => _engine.Handlers.Drained += value;
        remove => _engine.Handlers.Drained -= value;
    }

    /// <summary>Messages are missing, or may be repeated, before the next one.</summary>
    public event EventHandler<GapEvent>? GapDetected
    {
        add => _engine.Handlers.GapDetected += value;
        remove => _engine.Handlers.GapDetected -= value;
    }

    /// <summary>Messages were dropped because the buffer was full.</summary>
    public event EventHandler<DroppedEvent>? MessagesDropped
    {
        add => _engine.Handlers.MessagesDropped += value;
        remove => _engine.Handlers.MessagesDropped -= value;
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
    /// The messages, each once and in order; connects on first use. The sequence ends when the stream completed or was stopped or
    /// closed, after all messages that had arrived, and throws when it was interrupted or failed. Leaving the loop leaves the
    /// transport connected; another loop goes on where this one stopped.
    /// </summary>
    /// <param name="cancellationToken">Ends the reading, not the transport.</param>
    /// <exception cref="InvalidOperationException"><see cref="MessageReceived"/> has a handler, or another loop is reading.</exception>
    /// <exception cref="TransportException">While reading: how the stream failed or was interrupted.</exception>
    public IAsyncEnumerable<StreamMessage> ReadAllAsync(CancellationToken cancellationToken = default) => _engine.Read(cancellationToken);

    /// <summary>Sends text. See <see cref="SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <param name="text">The message.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    public Task<SendOutcome> SendAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _engine.SendAsync(Encoding.UTF8.GetBytes(text), OutgoingKind.Text, cancellationToken);
    }

    /// <summary>
    /// Sends bytes. Messages leave one behind the other in the order of the calls, and wait in a bounded queue while there is no
    /// connection; connects on first use.
    /// </summary>
    /// <param name="data">
    /// The message. It must not change until the task completes, nor after a task that was cancelled or does not know the message's fate:
    /// it may still be on its way.
    /// </param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for its fate.</param>
    /// <returns>What is known of the message.</returns>
    /// <exception cref="ArgumentException">The message is larger than <see cref="SendOptions.MaxMessageBytes"/>.</exception>
    /// <exception cref="TransportException">
    /// It could not be sent, the queue is full, or the transport is closed or failed. <see cref="TransportException.Delivery"/> says
    /// whether the peer may have it.
    /// </exception>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    public Task<SendOutcome> SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        _engine.SendAsync(data, OutgoingKind.Binary, cancellationToken);

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

    /// <summary>Sends a value that is JSON already.</summary>
    internal Task<SendOutcome> SendJsonAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken) =>
        _engine.SendAsync(json, OutgoingKind.Json, cancellationToken);

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
