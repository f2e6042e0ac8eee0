namespace Perennial;

/// <content>What it announces.</content>
public abstract partial class Transport
{
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
}
