using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Perennial.Testing;

/// <summary>
/// A TCP proxy on 127.0.0.1 that carries connections to a server and breaks them on purpose: cut at a chosen byte, stalled, slowed down,
/// split or refused. It works below HTTP and TLS, so every protocol passes through unchanged. All members are thread-safe.
/// </summary>
/// <example>
/// <code>
/// await using var proxy = FaultProxy.Start(server.Address, FaultPlan.InOrder(FaultPlan.Cut(afterBytes: 1000), FaultPlan.None));
/// await foreach (var message in ReadFrom(proxy.Address)) { … }   // the first connection dies, the second one lives
/// proxy.Connections.ShouldBe(2);
/// </code>
/// </example>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly EndPoint _upstream;
    private readonly Func<int, FaultPlan> _plan;
    private readonly ProxyLine _line;
    private readonly LoopbackListener _listener;
    private readonly ConcurrentDictionary<ProxiedConnection, bool> _live = [];
    private readonly CollectedErrors _errors = new();
    private int _disposed;

    private FaultProxy(Uri upstream, Func<int, FaultPlan> plan, TimeProvider time)
    {
        _upstream = IPAddress.TryParse(upstream.DnsSafeHost, out var address)
            ? new IPEndPoint(address, upstream.Port)
            : new DnsEndPoint(upstream.DnsSafeHost, upstream.Port);
        _plan = plan;
        _line = new ProxyLine(time);
        _listener = new LoopbackListener(Admit);
        Address = new UriBuilder(upstream) { Host = "127.0.0.1", Port = _listener.EndPoint.Port }.Uri;
    }

    /// <summary>
    /// Where clients connect: the upstream's scheme, path and query on 127.0.0.1 and the proxy's port, which the system chose.
    /// TLS is not opened, so a certificate has to be good for 127.0.0.1.
    /// </summary>
    public Uri Address { get; }

    /// <summary>How many connections were accepted, those refused by a plan included.</summary>
    public int Connections => _listener.Accepted;

    /// <summary>How many connections are open now.</summary>
    public int LiveConnections => _listener.Live;

    /// <summary>How many connections the proxy has cut: by a plan or by <see cref="CutAll"/>.</summary>
    public int Cuts => _line.Cuts;

    /// <summary>How many bytes were forwarded from the server to clients, over all connections.</summary>
    public long DownstreamBytes => _line.DownstreamBytes;

    /// <summary>How many bytes were forwarded from clients to the server, over all connections.</summary>
    public long UpstreamBytes => _line.UpstreamBytes;

    /// <summary>
    /// While true, new connections are refused by the operating system, as if no process listened; live ones go on. The port stays
    /// reserved. False by default.
    /// </summary>
    /// <exception cref="ObjectDisposedException">Set on a disposed proxy.</exception>
    public bool Refusing
    {
        get => _listener.Refusing;
        set => _listener.Refusing = value;
    }

    /// <summary>Starts a proxy that treats every connection alike.</summary>
    /// <param name="upstream">The server: an absolute URI with a port, given or implied. Only host and port matter to the proxy.</param>
    /// <param name="plan">What happens to each connection.</param>
    /// <param name="time">The clock of the plan's pauses and moments; <see cref="TimeProvider.System"/> by default.</param>
    /// <exception cref="ArgumentException"><paramref name="upstream"/> is not absolute or names no port.</exception>
    public static FaultProxy Start(Uri upstream, FaultPlan plan, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return Start(upstream, _ => plan, time);
    }

    /// <summary>Starts a proxy.</summary>
    /// <param name="upstream">The server: an absolute URI with a port, given or implied. Only host and port matter to the proxy.</param>
    /// <param name="plan">
    /// Says what happens to connection 0, 1, 2 and so on; by default nothing. It is called once per connection, in the order they were
    /// accepted. If it throws, the connection is reset, and <see cref="DisposeAsync"/> throws what it threw.
    /// </param>
    /// <param name="time">The clock of the plan's pauses and moments; <see cref="TimeProvider.System"/> by default.</param>
    /// <exception cref="ArgumentException"><paramref name="upstream"/> is not absolute or names no port.</exception>
    public static FaultProxy Start(Uri upstream, Func<int, FaultPlan>? plan = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        if (!upstream.IsAbsoluteUri || upstream.Port <= 0)
        {
            throw new ArgumentException(
                $"'{upstream}' is not an absolute URI with a port, such as http://127.0.0.1:5000/ or tcp://127.0.0.1:5432.",
                nameof(upstream));
        }
        return new FaultProxy(upstream, plan ?? (_ => FaultPlan.None), time ?? TimeProvider.System);
    }

    /// <summary>Ends all live connections at once, and returns how many. Bytes still on their way are lost, as on a dropped line.</summary>
    public int CutAll(CutMode how = CutMode.Reset) => _live.Keys.Count(connection => connection.Cut(how));

    /// <summary>Stops the flow of bytes on all connections, both ways, live and new ones, until <see cref="ResumeAll"/>.</summary>
    public void StallAll() => _line.Gate.Close();

    /// <summary>Lets bytes flow again on all connections, and ends the stalls of plans that have begun.</summary>
    public void ResumeAll()
    {
        _line.Gate.Open();
        foreach (var connection in _live.Keys)
        {
            connection.Resume();
        }
    }

    /// <summary>Completes when <paramref name="count"/> connections have been accepted since the start.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForConnectionsAsync(int count, CancellationToken cancellationToken = default) =>
        _listener.WaitForAcceptedAsync(count, cancellationToken);

    /// <summary>Completes when <paramref name="count"/> connections have been cut since the start.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForCutsAsync(int count, CancellationToken cancellationToken = default) =>
        _line.CutMade.WaitAsync(() => Cuts >= count, cancellationToken);

    /// <summary>Completes when no connection is open, at once if there is none.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForNoConnectionsAsync(CancellationToken cancellationToken = default) => _listener.WaitForIdleAsync(cancellationToken);

    /// <summary>
    /// Resets every connection, frees the port and returns when nothing is left running. Throws what the plan function threw, once;
    /// a second call does nothing.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        await _listener.StopAcceptingAsync().ConfigureAwait(false);
        foreach (var connection in _live.Keys)
        {
            connection.Abort();
        }

        await _listener.DisposeAsync().ConfigureAwait(false);
        _errors.ThrowIfAny();
    }

    private Func<Task> Admit(Socket client, int index)
    {
        if (PlanFor(index) is not { } plan)
        {
            client.End(CutMode.Reset);
            return () => Task.CompletedTask;
        }
        var connection = new ProxiedConnection(client, plan, _line);
        _live[connection] = true;
        return () => ServeAsync(connection);
    }

    private async Task ServeAsync(ProxiedConnection connection)
    {
        using (connection)
        {
            await connection.RunAsync(_upstream).ConfigureAwait(false);
        }

        _live.Remove(connection, out _);
    }

    private FaultPlan? PlanFor(int index)
    {
        try
        {
            return _plan(index);
        }
        catch (Exception e)
        {
            _errors.Add(e);
            return null;
        }
    }
}
