namespace Perennial.Wire;

/// <summary>The close codes of <c>perennial.v1</c>: what the server closes with, and what a client makes of them (docs/protocol.md).</summary>
internal static class CloseCodes
{
    /// <summary>The stream has ended.</summary>
    public const int Done = 1000;

    /// <summary>The client sent bytes in place of text.</summary>
    public const int NoBytes = 1003;

    /// <summary>The client sent a message that is too large to be refused by its number.</summary>
    public const int TooBig = 1009;

    /// <summary>The stream has failed; for clients that do not speak the protocol.</summary>
    public const int Failed = 1011;

    /// <summary>The server stops.</summary>
    public const int Restarting = 1012;

    /// <summary>The server cannot reach its store.</summary>
    public const int TryLater = 1013;

    /// <summary>The client sent what the protocol does not allow. A code from 4400 on is 4000 plus an HTTP status.</summary>
    public const int BadRequest = 4400;

    /// <summary>The client may not send; for clients that do not speak the protocol.</summary>
    public const int Forbidden = 4403;

    /// <summary>Whether another connection may go on after this code. After the others the same attempt would fail again.</summary>
    public static bool MayPass(int code) =>
        code is not (1002 or 1003 or (>= 1007 and <= 1010) or 3000 or 3003 or (>= 4400 and <= 4499 and not (4408 or 4429)));
}
