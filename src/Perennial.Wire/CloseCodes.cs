namespace Perennial.Wire;

/// <summary>
/// The WebSocket close codes of <c>perennial.v1</c>: which ones the server sends, and after which ones a client reconnects
/// (docs/protocol.md).
/// </summary>
internal static class CloseCodes
{
    /// <summary>The stream has ended.</summary>
    public const int Done = 1000;

    /// <summary>The client sent a binary message instead of a text message.</summary>
    public const int NoBytes = 1003;

    /// <summary>The client sent a message that is too large, so that the server cannot refuse it by its number.</summary>
    public const int TooBig = 1009;

    /// <summary>The stream has failed. Sent to clients that do not speak the protocol.</summary>
    public const int Failed = 1011;

    /// <summary>The server is shutting down.</summary>
    public const int Restarting = 1012;

    /// <summary>The server cannot reach its store.</summary>
    public const int TryLater = 1013;

    /// <summary>The client sent a message that the protocol does not allow. Codes from 4400 on are 4000 plus an HTTP status.</summary>
    public const int BadRequest = 4400;

    /// <summary>The client may not send. Sent to clients that do not speak the protocol.</summary>
    public const int Forbidden = 4403;

    /// <summary>Whether another connection can succeed after this code. After every other code the same attempt would fail again.</summary>
    public static bool MayPass(int code) =>
        code is not (1002 or 1003 or (>= 1007 and <= 1010) or 3000 or 3003 or (>= 4400 and <= 4499 and not (4408 or 4429)));
}
