using System.Net.WebSockets;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Takes what a client sends, one message after the other.</summary>
internal interface ISocketTaker
{
    /// <summary>Takes one message, and completes when the next may come.</summary>
    /// <param name="message">The message; its bytes are gone afterwards.</param>
    /// <param name="leave">Cancelled when it is over.</param>
    /// <returns>The code to close with where the client broke the rules; else null.</returns>
    /// <exception cref="Stores.RunStoreException">The store cannot be used.</exception>
    ValueTask<int?> TakeAsync(SocketMessage message, CancellationToken leave);

    /// <summary>No message waits to be taken.</summary>
    void OnSilence();
}

/// <summary>A message of a client.</summary>
/// <param name="Data">The message, or its beginning.</param>
/// <param name="Type">Text or binary.</param>
/// <param name="IsTorn">Whether the rest was too much to be kept.</param>
internal readonly record struct SocketMessage(ReadOnlyMemory<byte> Data, WebSocketMessageType Type, bool IsTorn);
