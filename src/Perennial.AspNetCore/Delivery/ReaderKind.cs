namespace Perennial.AspNetCore.Delivery;

/// <summary>The forms in which readers read.</summary>
internal enum ReaderKind
{
    Sse,
    LongPoll,
    JsonLines,
    WebSocket,
    ByteStream,
}

internal static class ReaderKinds
{
    /// <summary>The number of kinds.</summary>
    public const int Count = 5;

    /// <summary>Returns the name in metrics and reports.</summary>
    public static string Name(this ReaderKind kind) => kind switch
    {
        ReaderKind.Sse => "sse",
        ReaderKind.LongPoll => "long_poll",
        ReaderKind.JsonLines => "json_lines",
        ReaderKind.ByteStream => "byte_stream",
        _ => "websocket",
    };
}
