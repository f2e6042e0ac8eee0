using System.Diagnostics.CodeAnalysis;
using System.Text;
using Perennial.Engine;
using Perennial.Requests;

namespace Perennial;

/// <summary>
/// A stream of messages that survives lost connections. If the server numbers its messages, a reader gets each message exactly once and in
/// order. Otherwise the transport announces that messages may be missing or repeated (<see cref="GapDetected"/>).
/// </summary>
/// <remarks>
/// Messages are consumed either as a sequence (<see cref="ReadAllAsync"/>) or by an event (<see cref="MessageReceived"/>), never by both.
/// All members are thread safe; the sequence has one reader at a time. Events are raised one at a time and in order, on another thread than
/// the one that reads from the network. A handler may call any member. A subclass that overrides <see cref="OpenAsync"/> adds a protocol.
/// </remarks>
public abstract class Transport : IAsyncDisposable, IDisposable
{
    private readonly TransportCore _core;
    private readonly TransportEngine _engine;

    /// <summary>Validates the options and prepares the transport. Does not connect.</summary>
    /// <param name="kind">The protocol's name, as in <see cref="Kind"/>.</param>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">
    /// An option is missing, malformed, out of range or conflicts with the services; the message names it.
    /// </exception>
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

    /// <summary>Occurs when an attempt to connect begins.</summary>
    public event EventHandler<ConnectingEvent>? Connecting
    {
        add => _engine.Handlers.Connecting += value;
        remove => _engine.Handlers.Connecting -= value;
    }

    /// <summary>Occurs when a connection is established.</summary>
    public event EventHandler<ConnectedEvent>? Connected
    {
        add => _engine.Handlers.Connected += value;
        remove => _engine.Handlers.Connected -= value;
    }

    /// <summary>Occurs when a connection was lost or could not be established, and another attempt follows.</summary>
    public event EventHandler<ReconnectingEvent>? Reconnecting
    {
        add => _engine.Handlers.Reconnecting += value;
        remove => _engine.Handlers.Reconnecting -= value;
    }

    /// <summary>
    /// Occurs for each message. While the event has a handler, it consumes the messages and the sequence cannot be read. Adding a handler
    /// does not connect.
    /// </summary>
    /// <exception cref="InvalidOperationException">The sequence is being read.</exception>
    public event EventHandler<StreamMessage>? MessageReceived
    {
        add => _engine.AddMessageHandler(value);
        remove => _engine.RemoveMessageHandler(value);
    }

    /// <summary>Occurs when the stream completed or was stopped, after all its messages.</summary>
    public event EventHandler<CompletedEvent>? Completed
    {
        add => _engine.Handlers.Completed += value;
        remove => _engine.Handlers.Completed -= value;
    }

    /// <summary>Occurs for each error, whether the transport recovers from it or not.</summary>
    public event EventHandler<ErrorEvent>? ErrorOccurred
    {
        add => _engine.Handlers.ErrorOccurred += value;
        remove => _engine.Handlers.ErrorOccurred -= value;
    }

    /// <summary>Occurs when the transport is closed: once for each start, as the last event.</summary>
    public event EventHandler<ClosedEvent>? Closed
    {
        add => _engine.Handlers.Closed += value;
        remove => _engine.Handlers.Closed -= value;
    }

    /// <summary>Occurs when the buffer fills to its high-water mark.</summary>
    public event EventHandler<BackpressureEvent>? Backpressure
    {
        add => _engine.Handlers.Backpressure += value;
        remove => _engine.Handlers.Backpressure -= value;
    }

    /// <summary>Occurs when the buffer empties below its high-water mark.</summary>
    public event EventHandler<DrainedEvent>? Drained
    {
        add => _engine.Handlers.Drained += value;
        remove => _engine.Handlers.Drained -= value;
    }

    /// <summary>Occurs before the next message if messages are missing or may be repeated.</summary>
    public event EventHandler<GapEvent>? GapDetected
    {
        add => _engine.Handlers.GapDetected += value;
        remove => _engine.Handlers.GapDetected -= value;
    }

    /// <summary>Occurs when messages were dropped because the buffer was full.</summary>
    public event EventHandler<DroppedEvent>? MessagesDropped
    {
        add => _engine.Handlers.MessagesDropped += value;
        remove => _engine.Handlers.MessagesDropped -= value;
    }

    /// <summary>Gets the unique id of the transport. It has no meaning.</summary>
    public string Id => _core.Id;

    /// <summary>Gets the protocol's name, such as <c>sse</c>.</summary>
    public string Kind => _core.Kind;

    /// <summary>Gets the state of the transport.</summary>
    public TransportState State => _core.Life.State;

    /// <summary>Gets whether a connection is open.</summary>
    public bool IsConnected => State == TransportState.Connected;

    /// <summary>
    /// Gets the id after which the next connection resumes, or <see langword="null"/>: the id of the last message that was put into the
    /// buffer. The reader may not have taken that message yet; to continue in another process, save <see cref="ResumePoint"/>.
    /// </summary>
    public string? LastEventId => _core.Cursor.Value;

    /// <summary>
    /// Gets the position from which another process can continue this stream: after the last message that the reader took, or, if
    /// <see cref="MessageReceived"/> consumes the messages, after the last one whose handlers returned. Save it after each processed
    /// message, and pass it to <see cref="TransportOptions.ResumeFrom"/>. <see langword="null"/> before the first connection, and if the
    /// stream cannot be read again by GET. Messages that a full buffer dropped count as taken. The property can be read after the transport
    /// was closed or disposed.
    /// </summary>
    public ResumePoint? ResumePoint => _core.ResumePoint;

    /// <summary>
    /// Gets a task that completes when the stream ends, with how it ended. The task never fails. Another <see cref="ConnectAsync"/>
    /// replaces it with a new task.
    /// </summary>
    public Task<StreamEnd> Completion => _core.Life.Session.Ended;

    /// <summary>
    /// Connects, and returns when the first connection is established. Failed attempts are repeated as for a later reconnect. While
    /// connected it returns at once; while reconnecting it waits for the next connection. After <see cref="TransportState.Failed"/> or
    /// <see cref="TransportState.Closed"/> it starts again, with all attempts available and the same resume point.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait. In the call that started connecting, it also closes the transport.</param>
    /// <exception cref="TransportException">
    /// All attempts failed, the error is final, or the transport was closed during the call.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The transport is disposed.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default) => _engine.ConnectAsync(cancellationToken);

    /// <summary>
    /// Reads the messages, each once and in order. Connects on first use. The sequence ends when the stream completed, was stopped or was
    /// closed, after all messages that had arrived. It throws when the stream was interrupted or failed. Leaving the loop does not close
    /// the transport; another loop continues after the last message that was read.
    /// </summary>
    /// <param name="cancellationToken">Cancels the reading. The transport stays open.</param>
    /// <exception cref="InvalidOperationException"><see cref="MessageReceived"/> has a handler, or another loop is reading.</exception>
    /// <exception cref="TransportException">While reading: the stream failed or was interrupted.</exception>
    public IAsyncEnumerable<StreamMessage> ReadAllAsync(CancellationToken cancellationToken = default) => _engine.Read(cancellationToken);

    /// <summary>Sends a text message. See <see cref="SendAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    /// <param name="text">The message.</param>
    /// <param name="cancellationToken">Cancels the send if the message has not left yet; otherwise stops waiting for its outcome.</param>
    public Task<SendOutcome> SendAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _engine.SendAsync(Encoding.UTF8.GetBytes(text), OutgoingKind.Text, cancellationToken);
    }

    /// <summary>
    /// Sends a message. Messages leave in the order of the calls, and wait in a bounded queue while there is no connection. Connects on
    /// first use.
    /// </summary>
    /// <param name="data">
    /// The message. It must not change until the task completes. After a cancelled task, or one that failed with
    /// <see cref="DeliveryStatus.Unknown"/>, it must not change either, because it may still be in transmission.
    /// </param>
    /// <param name="cancellationToken">Cancels the send if the message has not left yet; otherwise stops waiting for its outcome.</param>
    /// <returns>The outcome of the send.</returns>
    /// <exception cref="ArgumentException">The message is larger than <see cref="SendOptions.MaxMessageBytes"/>.</exception>
    /// <exception cref="TransportException">
    /// The message could not be sent, the queue is full, or the transport is closed or failed. <see cref="TransportException.Delivery"/>
    /// specifies whether the peer may have received it.
    /// </exception>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    public Task<SendOutcome> SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default) =>
        _engine.SendAsync(data, OutgoingKind.Binary, cancellationToken);

    /// <summary>
    /// Requests that the server stop producing, as soon as there is a connection. Messages that the server sends until it stops still
    /// arrive. The stream then ends as stopped if the server confirms it.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for the server's answer.</param>
    /// <exception cref="TransportException">The server refused, could not be reached, or the transport is closed or failed.</exception>
    /// <exception cref="NotSupportedException">The protocol has no such request.</exception>
    public Task StopAsync(CancellationToken cancellationToken = default) => _engine.StopAsync(cancellationToken);

    /// <summary>
    /// Pauses the delivery of messages and stops reading from the network. At most one message that is already on its way still reaches the
    /// reader. The sender is slowed down, and no message is lost.
    /// </summary>
    public void Pause() => _core.Buffer.Pause(_core.Time.GetTimestamp());

    /// <summary>Ends a pause. The waiting messages are delivered first.</summary>
    public void Resume() => _core.Buffer.Resume();

    /// <summary>
    /// Closes the connection, ends every wait and any pause, and does not connect again. Messages that had arrived can still be read. The
    /// server is not requested to stop. Idempotent.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for the connection to close, which takes at most 2 s.</param>
    public Task CloseAsync(CancellationToken cancellationToken = default) => _engine.CloseAsync(cancellationToken);

    /// <summary>Gets a snapshot of the transport's counters and times.</summary>
    public TransportMetrics GetMetrics() => _engine.GetMetrics();

    /// <summary>
    /// Closes the transport, discards unread messages, and returns when all sockets, timers and tasks are released. It waits at most 2 s
    /// for event handlers. The transport cannot be used again. Idempotent. A call inside a handler does not wait for that handler.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _engine.DisposeAsync(DisposeCoreAsync);
    }

    /// <summary>
    /// Starts the work of <see cref="DisposeAsync"/> and returns without waiting for it. Intended for containers that are disposed
    /// synchronously, and for <c>using</c> without <c>await</c>. Idempotent.
    /// </summary>
    [SuppressMessage("Usage", "CA1816", Justification = "DisposeAsync calls SuppressFinalize.")]
    [SuppressMessage(
        "Design", "CA1063", Justification = "Subclasses release resources in DisposeCoreAsync, which Dispose and DisposeAsync both call.")]
    public void Dispose() => _ = DisposeAsync().AsTask();

    /// <summary>Opens one connection, in one attempt. The transport decides about further attempts.</summary>
    /// <param name="context">The number of the attempt, and the id after which to resume.</param>
    /// <param name="cancellationToken">Cancelled at <see cref="TransportOptions.ConnectTimeout"/>, or when the transport is closed.</param>
    /// <exception cref="TransportException">
    /// The connection could not be opened. <see cref="TransportException.IsTransient"/> specifies whether another attempt may succeed.
    /// </exception>
    protected abstract ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Releases resources of the subclass other than its connections. Called at least once, after the last connection is closed.
    /// </summary>
    protected virtual ValueTask DisposeCoreAsync() => ValueTask.CompletedTask;

    /// <summary>Sends a value that is already JSON.</summary>
    internal Task<SendOutcome> SendJsonAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken) =>
        _engine.SendAsync(json, OutgoingKind.Json, cancellationToken);

    /// <summary>The URL of the stream.</summary>
    internal Uri Endpoint => _core.Options.Endpoint;

    /// <summary>Whether a reader consumes the messages now, as a sequence or by events.</summary>
    internal bool IsBeingRead => _engine.IsBeingRead;

    /// <summary>Gets whether messages flow. If they do not, gets what holds them back and since when.</summary>
    internal FlowStatus GetFlow() => _core.GetFlow(IsBeingRead);

    /// <summary>Sends a request. Replies are accepted from the time before it leaves.</summary>
    internal PendingRequest Request(ReadOnlySpan<byte> value, RequestOptions options, bool isSingle) =>
        _engine.Request(value, options, isSingle);

    /// <summary>Opens a connection for another transport, which owns it and decides about further attempts.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    internal ValueTask<TransportConnection> OpenForAsync(ConnectContext context, CancellationToken cancellationToken) =>
        OpenAsync(context, cancellationToken);
}
