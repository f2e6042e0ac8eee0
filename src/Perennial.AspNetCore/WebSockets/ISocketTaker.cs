using System.Net.WebSockets;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Handles a client's messages, one after the other.</summary>
internal interface ISocketTaker
{
    /// <summary>Handles one message, and completes when the next one may follow.</summary>
    /// <param name="message">The message. Its bytes are valid only during the call.</param>
    /// <param name="leave">Cancelled when the session ends.</param>
    /// <returns>The code to close with if the client violated the protocol; otherwise null.</returns>
    /// <exception cref="Stores.RunStoreException">The store cannot be used.</exception>
    ValueTask<int?> TakeAsync(SocketMessage message, CancellationToken leave);

    /// <summary>Called when no further message waits.</summary>
    void OnSilence();
}

/// <summary>A message of a client.</summary>
/// <param name="Data">The message, or its beginning.</param>
/// <param name="Type">Text or binary.</param>
/// <param name="IsTorn">Whether the message is too large, so that <paramref name="Data"/> is only its beginning.</param>
internal readonly record struct SocketMessage(ReadOnlyMemory<byte> Data, WebSocketMessageType Type, bool IsTorn);
