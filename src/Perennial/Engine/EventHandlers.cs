namespace Perennial.Engine;

/// <summary>The handlers of one transport's events, and the only code that calls them. Used by the dispatcher only.</summary>
/// <param name="sender">The sender that handlers receive.</param>
/// <param name="buffer">The buffer options, which the buffer's events contain.</param>
/// <param name="handlerThrew">Called with the event's name and the exception if a handler throws.</param>
internal sealed class EventHandlers(object sender, BufferOptions buffer, Action<string, Exception> handlerThrew)
{
    private long _announcedDrops;

    public event EventHandler<ConnectingEvent>? Connecting;

    public event EventHandler<ConnectedEvent>? Connected;

    public event EventHandler<ReconnectingEvent>? Reconnecting;

    public event EventHandler<StreamMessage>? MessageReceived;

    public event EventHandler<CompletedEvent>? Completed;

    public event EventHandler<ErrorEvent>? ErrorOccurred;

    public event EventHandler<ClosedEvent>? Closed;

    public event EventHandler<BackpressureEvent>? Backpressure;

    public event EventHandler<DrainedEvent>? Drained;

    public event EventHandler<GapEvent>? GapDetected;

    public event EventHandler<DroppedEvent>? MessagesDropped;

    /// <summary>Whether any event has a handler.</summary>
    public bool Exist =>
        MessageReceived is not null || Connecting is not null || Connected is not null || Reconnecting is not null
        || Completed is not null || ErrorOccurred is not null || Closed is not null
        || Backpressure is not null || Drained is not null || GapDetected is not null || MessagesDropped is not null;

    /// <summary>Whether messages are consumed by events.</summary>
    public bool ConsumeMessages => MessageReceived is not null;

    public void Raise(object happened)
    {
        switch (happened)
        {
            case ConnectingEvent e:
                Invoke(Connecting, e);
                break;
            case ConnectedEvent e:
                Invoke(Connected, e);
                break;
            case ReconnectingEvent e:
                Invoke(Reconnecting, e);
                break;
            case CompletedEvent e:
                Invoke(Completed, e);
                break;
            case ErrorEvent e:
                Invoke(ErrorOccurred, e);
                break;
            case ClosedEvent e:
                Invoke(Closed, e);
                break;
            case GapEvent e:
                Invoke(GapDetected, e);
                break;
            case BufferNotice { Kind: BufferNoticeKind.Backpressure } e:
                Invoke(Backpressure, new BackpressureEvent { Size = e.Size, Capacity = buffer.Capacity, Mark = buffer.MarkSize });
                break;
            case BufferNotice { Kind: BufferNoticeKind.Drained } e:
                Invoke(Drained, new DrainedEvent { Size = e.Size });
                break;
            case BufferNotice { Kind: BufferNoticeKind.Dropped } e:
                Invoke(MessagesDropped, new DroppedEvent { Count = e.Count, Total = _announcedDrops += e.Count });
                break;
        }
    }

    /// <summary>
    /// Delivers the next message to its handlers, if there are both. The handlers are read while the message still waits in the buffer.
    /// Therefore no message is lost when one handler replaces another, and a removed handler gets no message that arrives later.
    /// </summary>
    /// <param name="from">The buffer.</param>
    /// <param name="before">Only a message before this position is delivered.</param>
    public bool TryDeliver(MessageBuffer from, long before)
    {
        if (!from.HasNext || MessageReceived is not { } takers || !from.TryReadBefore(before, out var message))
        {
            return false;
        }

        Invoke(takers, message);
        return true;
    }

    /// <summary>Calls each handler. If one throws, the others still run and nothing else is affected.</summary>
    private void Invoke<T>(EventHandler<T>? handlers, T happened)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            try
            {
                handler(sender, happened);
            }
            catch (Exception e)
            {
                handlerThrew(typeof(T).Name, e);
            }
        }
    }
}
