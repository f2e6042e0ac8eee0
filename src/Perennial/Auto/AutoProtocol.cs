namespace Perennial.Auto;

/// <summary>The protocols an <see cref="AutoTransport"/> chooses from.</summary>
public enum AutoProtocol
{
    /// <summary>As <see cref="WebSockets.WebSocketTransport"/> reads it.</summary>
    WebSocket,

    /// <summary>Server-sent events, as <see cref="Perennial.Sse.SseTransport"/> reads them.</summary>
    Sse,

    /// <summary>JSON lines in one response, as <see cref="HttpStreams.HttpStreamTransport"/> reads them.</summary>
    HttpStream,

    /// <summary>Repeated requests, as <see cref="HttpStreams.LongPollTransport"/> makes them.</summary>
    LongPoll,
}
