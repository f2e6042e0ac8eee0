namespace Perennial.AspNetCore.Delivery;

/// <summary>How a reader reads.</summary>
internal enum ReaderKind
{
    Sse,
    LongPoll,
    JsonLines,
    WebSocket,
}

internal static class ReaderKinds
{
    /// <summary>How many there are.</summary>
    public const int Count = 4;

    /// <summary>As operators and instruments know it.</summary>
    public static string Name(this ReaderKind kind) => kind switch
    {
        ReaderKind.Sse => "sse",
        ReaderKind.LongPoll => "long_poll",
        ReaderKind.JsonLines => "json_lines",
        _ => "websocket",
    };
}
