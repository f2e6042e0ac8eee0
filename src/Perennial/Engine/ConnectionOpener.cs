namespace Perennial.Engine;

/// <summary>Opens one connection, in one attempt.</summary>
/// <param name="context">The number of the attempt, and the id after which to resume.</param>
/// <param name="cancellationToken">Cancelled when the attempt takes too long, or when the transport is closed.</param>
internal delegate ValueTask<TransportConnection> ConnectionOpener(ConnectContext context, CancellationToken cancellationToken);
