namespace Perennial.Engine;

/// <summary>Opens one connection, in one try.</summary>
/// <param name="context">Which attempt this is, and where the stream is to go on.</param>
/// <param name="cancellationToken">Cancelled when the attempt takes too long, or when the caller leaves.</param>
internal delegate ValueTask<TransportConnection> ConnectionOpener(ConnectContext context, CancellationToken cancellationToken);
