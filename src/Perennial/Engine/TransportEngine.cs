using Perennial.Requests;

namespace Perennial.Engine;

/// <summary>The functions of one transport. Starts the connection loop when it is first needed; reads, sends, stops and closes.</summary>
/// <param name="core">The objects that the parts share.</param>
/// <param name="open">Opens connections of the transport's protocol.</param>
internal sealed class TransportEngine(TransportCore core, ConnectionOpener open) : ISendQueue
{
    private SendPipeline? _sends;               // created by the first send

    public TransportCore Core => core;

    public EventHandlers Handlers => core.UseEvents().Handlers;

    /// <summary>Whether a reader consumes the messages now, as a sequence or by events.</summary>
    public bool IsBeingRead
    {
        get
        {
            lock (core.Gate)
            {
                return core.IsSequenceRead || core.AreMessagesHandled;
            }
        }
    }

    /// <summary>Connects, and returns when the first connection is established; while reconnecting, when the next one is.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (session, isStarter) = StartOrJoin(startsAgain: true);
        var connected = session.Connected;
        try
        {
            await connected.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (isStarter && !connected.IsCompleted)
        {
            session.RequestStop();
            await session.Ended.ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Adds a handler that consumes messages.</summary>
    /// <exception cref="InvalidOperationException">The sequence is being read.</exception>
    public void AddMessageHandler(EventHandler<StreamMessage>? handler)
    {
        lock (core.Gate)
        {
            if (core.IsSequenceRead)
            {
                throw new InvalidOperationException(
                    "This transport's messages are being read as a sequence; they can be consumed by MessageReceived or by ReadAllAsync, not both.");
            }

            Handlers.MessageReceived += handler;
        }

        core.UseEvents().Wake();
    }

    public void RemoveMessageHandler(EventHandler<StreamMessage>? handler)
    {
        Handlers.MessageReceived -= handler;
        core.UseEvents().Wake();
    }

    /// <summary>The messages as a sequence.</summary>
    /// <exception cref="InvalidOperationException">The messages are consumed by events.</exception>
    public MessageReader Read(CancellationToken cancellationToken)
    {
        lock (core.Gate)
        {
            ThrowIfConsumedByEventsLocked();
        }

        return new MessageReader(this, core.Buffer, cancellationToken);
    }

    /// <summary>
    /// Starts reading as a sequence. The caller may read when the returned task completes, because the event dispatcher may still use the
    /// buffer.
    /// </summary>
    public Task BeginReading()
    {
        lock (core.Gate)
        {
            ThrowIfConsumedByEventsLocked();
            if (core.IsSequenceRead)
            {
                throw new InvalidOperationException(
                    "Another loop is reading this transport's messages; a sequence has one reader at a time.");
            }

            core.IsSequenceRead = true;
        }

        StartOrJoin(startsAgain: false);
        return core.Events?.WhenBufferIsFree ?? Task.CompletedTask;
    }

    /// <summary>Ends reading as a sequence.</summary>
    public void EndReading()
    {
        lock (core.Gate)
        {
            core.IsSequenceRead = false;
        }
    }

    /// <summary>Sends a message after the messages before it.</summary>
    public Task<SendOutcome> SendAsync(ReadOnlyMemory<byte> data, OutgoingKind kind, CancellationToken cancellationToken)
    {
        ThrowIfTooLarge(data);
        var (session, _) = StartOrJoin(startsAgain: false);
        if (session.HasEnded)
        {
            return Task.FromException<SendOutcome>(NotConnected());
        }

        var message = new OutgoingMessage { Data = data, Kind = kind, Key = Guid.NewGuid().ToString("N") };
        return core.Metrics.Measured(UseSends().SendAsync(new OutgoingSend(message, session, cancellationToken)));
    }

    /// <summary>Sends a request. Replies are accepted from the time before it leaves.</summary>
    public PendingRequest Request(ReadOnlySpan<byte> value, RequestOptions options, bool isSingle)
    {
        options.Validate();
        var requests = core.UseRequests();
        var id = requests.NewId();
        var message = new OutgoingMessage { Data = options.Convention.Write(id, value), Kind = OutgoingKind.Json, Key = id };
        ThrowIfTooLarge(message.Data);
        var (session, _) = StartOrJoin(startsAgain: false);
        var request = requests.Add(id, message, options, isSingle, session);
        if (session.HasEnded)
        {
            request.Send.Fail(NotConnected());
        }
        else
        {
            _ = UseSends().SendAsync(request.Send);
        }

        _ = request.FollowAsync();
        return request;
    }

    /// <summary>Requests that the server stop producing, as soon as there is a connection.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var session = core.Life.Session;
        if (!session.IsStarted || session.HasEnded)
        {
            throw NotConnected();
        }

        var connection = core.Connection.GetAsync(cancellationToken);
        await Task.WhenAny(connection, session.Ended).ConfigureAwait(false);
        if (!connection.IsCompleted)
        {
            throw NotConnected();
        }

        await (await connection.ConfigureAwait(false)).StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the stream, and waits until the connection is closed.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        var session = core.Life.Leave();
        core.Buffer.Resume();
        await session.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Closes the transport permanently, discards unread messages, and returns when all resources are released. Waits at most 2 s for event
    /// handlers.
    /// </summary>
    /// <param name="disposeTransport">Releases the resources of the transport's subclass, after the last connection is closed.</param>
    public async ValueTask DisposeAsync(Func<ValueTask> disposeTransport)
    {
        core.Life.Dispose();
        var isInHandler = core.Events?.IsInHandler ?? false;     // read here, because after the first await this may be another thread
        core.Buffer.Discard();
        await CloseAsync(CancellationToken.None).ConfigureAwait(false);
        core.Life.TryEnter(TransportState.Closed);
        if (Volatile.Read(ref _sends) is { } sends)
        {
            await WithinCloseLimitAsync(sends.WhenIdle).ConfigureAwait(false);
            await sends.DisposeAsync().ConfigureAwait(false);
        }

        await disposeTransport().ConfigureAwait(false);
        if (!isInHandler && core.Events is { } events)
        {
            await WithinCloseLimitAsync(events.WhenIdle).ConfigureAwait(false);
        }
    }

    public TransportMetrics GetMetrics() => core.Metrics.Snapshot(
        core.Id,
        core.Life.State,
        core.Options.ReconnectRules.StableAfter,
        core.Buffer.Size,
        core.Buffer.Dropped,
        core.Requests?.Outstanding ?? 0);

    void ISendQueue.Wake() => Volatile.Read(ref _sends)?.Wake();

    void ISendQueue.End(TransportSession session) => Volatile.Read(ref _sends)?.End(session);

    bool ISendQueue.Acknowledge(int connection, long received) => Volatile.Read(ref _sends)?.Acknowledge(connection, received) == true;

    void ISendQueue.Refuse(int connection, long number, TransportException error) =>
        Volatile.Read(ref _sends)?.Refuse(connection, number, error);

    private (TransportSession Session, bool IsStarter) StartOrJoin(bool startsAgain)
    {
        var (session, isStarter) = core.Life.StartOrJoin(startsAgain);
        if (isStarter)
        {
            new ConnectionLoop(core, session, open, this).Start();
            if (core.AreMessagesHandled)
            {
                core.Events?.Wake();
            }
        }

        return (session, isStarter);
    }

    private SendPipeline UseSends() => LazyInitializer.EnsureInitialized(ref _sends, () => new SendPipeline(core))!;

    private void ThrowIfTooLarge(ReadOnlyMemory<byte> data)
    {
        var most = core.Options.SendRules.MaxMessageBytes;
        if (data.Length > most)
        {
            throw new ArgumentException(
                $"The message has {data.Length} bytes, but Send.MaxMessageBytes allows at most {most}.", nameof(data));
        }
    }

    private void ThrowIfConsumedByEventsLocked()
    {
        if (core.AreMessagesHandled)
        {
            throw new InvalidOperationException(
                "This transport's messages are consumed by MessageReceived; they can be consumed by it or by ReadAllAsync, not both.");
        }
    }

    private async Task WithinCloseLimitAsync(Task task) =>
        await task.WaitAsync(ConnectionLoop.CloseLimit, core.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private TransportException NotConnected() =>
        new(TransportErrorCode.NotConnected, $"The transport is {core.Life.State}.") { Delivery = DeliveryStatus.NotSent };
}
