using System.Net.Sockets;

namespace Perennial.Streams;

/// <summary>Opens a stream of bytes that the HTTP stack cannot open by itself.</summary>
/// <param name="place">The name of the place, for messages.</param>
/// <param name="open">Opens a stream.</param>
internal sealed class ByteStreamOpener(string place, Func<CancellationToken, ValueTask<Stream>> open)
{
    /// <summary>Returns <see langword="null"/> if the endpoint is a host and a port.</summary>
    public static ByteStreamOpener? For(ByteStreamTransportOptions options) =>
        options.Connect is { } connect ? new ByteStreamOpener("The stream of Connect", connect)
        : UnixSocketUrl.TryRead(options.Endpoint, out var socket)
            ? new ByteStreamOpener(socket.File, cancellationToken => OpenAsync(socket.File, cancellationToken))
            : null;

    /// <summary>Opens a stream.</summary>
    /// <exception cref="TransportException">It could not be opened. Another attempt may succeed.</exception>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await open(cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidOperationException("Connect returned null.");
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var reason = e is SocketException socket ? socket.SocketErrorCode.ToString() : e.GetType().Name;
            throw new TransportException(TransportErrorCode.ConnectFailed, $"{place} cannot be opened ({reason}).", isTransient: true, e)
            {
                Delivery = DeliveryStatus.NotSent,
            };
        }
    }

    private static async ValueTask<Stream> OpenAsync(string file, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(file), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
