using System.Net;
using System.Net.Sockets;

namespace Perennial.Testing;

/// <summary>
/// Listens on a port of 127.0.0.1 that the system chose, numbers the connections and serves each in the background.
/// It can refuse connections for a while and keeps its port meanwhile. Thread-safe.
/// </summary>
internal sealed class LoopbackListener : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Func<Socket, int, Func<Task>> _admit;   // makes a connection known and returns what serves it; neither may throw
    private readonly AsyncCondition _counts = new();
    private Socket _socket;                            // listens, or holds the port while refusing
    private Task _accepting = Task.CompletedTask;
    private bool _disposed;
    private int _nextIndex;
    private int _accepted;
    private int _live;

    public LoopbackListener(Func<Socket, int, Func<Task>> admit)
    {
        _admit = admit;
        _socket = Bind(new IPEndPoint(IPAddress.Loopback, 0));
        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        ListenLocked();
    }

    public IPEndPoint EndPoint { get; }

    public int Accepted => Volatile.Read(ref _accepted);

    public int Live => Volatile.Read(ref _live);

    public bool Refusing
    {
        get;
        set
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (field == value)
                {
                    return;
                }

                field = value;
                if (value)
                {
                    _socket.Dispose();
                    _socket = BindAgain(EndPoint);      // bound but not listening: connections are refused and nobody else gets the port
                }
                else
                {
                    ListenLocked();
                }
            }
        }
    }

    public Task WaitForAcceptedAsync(int count, CancellationToken cancellationToken) =>
        _counts.WaitAsync(() => Accepted >= count, cancellationToken);

    public Task WaitForIdleAsync(CancellationToken cancellationToken) => _counts.WaitAsync(() => Live == 0, cancellationToken);

    /// <summary>Stops listening and waits for the connections to end; ending them is the owner's part.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAcceptingAsync().ConfigureAwait(false);
        await WaitForIdleAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Stops listening for good: after it completes no further connection is served.</summary>
    public async Task StopAcceptingAsync()
    {
        lock (_gate)
        {
            _disposed = true;
            _socket.Dispose();
        }
        await _accepting.ConfigureAwait(false);
    }

    private static Socket Bind(IPEndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endPoint);
        return socket;
    }

    /// <summary>Binds a port that was just closed. The system may still be ending the accept that was pending there.</summary>
    private static Socket BindAgain(IPEndPoint endPoint)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return Bind(endPoint);
            }
            catch (SocketException e) when (
                e.SocketErrorCode == SocketError.AddressAlreadyInUse && TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromSeconds(10))
            {
                Thread.Yield();
            }
        }
    }

    private void ListenLocked()
    {
        _socket.Listen();
        _accepting = Task.WhenAll(_accepting, AcceptAsync(_socket));
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            try
            {
                var client = await listener.AcceptAsync().ConfigureAwait(false);
                client.NoDelay = true;
                Serve(client);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // That client left before it was accepted.
            }
            catch (Exception e) when (e is ObjectDisposedException
                or SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.InvalidArgument })
            {
                // Closed; an accept that is just about to wait then finds a socket that does not listen: EINVAL.
                return;
            }
        }
    }

    private void Serve(Socket client)
    {
        var serve = _admit(client, Interlocked.Increment(ref _nextIndex) - 1);
        // Counted between the two: who has seen the count finds the connection, and who has seen a byte finds the count.
        Interlocked.Increment(ref _live);
        Interlocked.Increment(ref _accepted);
        _counts.Changed();
        // Nobody holds this task: the count of live connections is what DisposeAsync waits for.
        _ = ServeAndCountAsync();

        async Task ServeAndCountAsync()
        {
            try
            {
                using (client)
                {
                    await serve().ConfigureAwait(false);
                }
            }
            finally
            {
                Interlocked.Decrement(ref _live);
                _counts.Changed();
            }
        }
    }
}
