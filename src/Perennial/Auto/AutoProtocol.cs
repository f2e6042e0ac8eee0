namespace Perennial.Auto;

/// <summary>Specifies the protocols that <see cref="AutoTransport"/> can use.</summary>
public enum AutoProtocol
{
    /// <summary>WebSocket, as in <see cref="WebSockets.WebSocketTransport"/>.</summary>
    WebSocket,

    /// <summary>Server-sent events, as in <see cref="Perennial.Sse.SseTransport"/>.</summary>
    Sse,

    /// <summary>JSON lines in one response, as in <see cref="HttpStreams.HttpStreamTransport"/>.</summary>
    HttpStream,

    /// <summary>Repeated requests, as in <see cref="HttpStreams.LongPollTransport"/>.</summary>
    LongPoll,
}
