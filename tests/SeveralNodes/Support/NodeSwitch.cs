using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>One address for several nodes: each connection is carried to one of them, drawn at random. Safe from any thread.</summary>
internal sealed class NodeSwitch : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _carrying = [];
    private readonly Uri?[] _nodes;
    private readonly Random _random;
    private readonly Task _accepting;
    private readonly int[] _carried;

    public NodeSwitch(int seed, params Uri?[] nodes)
    {
        (_nodes, _random, _carried) = (nodes, new Random(seed), new int[nodes.Length]);
        _listener.Start(backlog: 1024);
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>How many connections were carried to each node.</summary>
    public IReadOnlyList<int> Carried => _carried;

    /// <summary>Puts a node in a place, or nobody.</summary>
    public void Set(int place, Uri? node) => Volatile.Write(ref _nodes[place], node);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_carrying.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var places = Enumerable.Range(0, _nodes.Length).Where(place => Volatile.Read(ref _nodes[place]) is not null).ToArray();
                var place = places[_random.Next(places.Length)];
                var carrying = CarryAsync(client, _nodes[place]!);
                _carried[place]++;
                _carrying[carrying] = true;
                _ = carrying.ContinueWith(task => _carrying.TryRemove(task, out _), TaskScheduler.Default);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The end, or a client that left at once.
            }
        }
    }

    private async Task CarryAsync(TcpClient client, Uri node)
    {
        using var upstream = new TcpClient { NoDelay = true };
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await upstream.ConnectAsync(node.Host, node.Port, _stop.Token);
                var (near, far) = (client.GetStream(), upstream.GetStream());
                using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                var copying = new[] { near.CopyToAsync(far, either.Token), far.CopyToAsync(near, either.Token) };
                await Task.WhenAny(copying);
                await either.CancelAsync();
                await Task.WhenAll(copying);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One of them is gone, and so the other is let go.
            }
        }
    }
}
