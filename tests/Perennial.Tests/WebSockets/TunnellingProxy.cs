using System.Net;
using System.Net.Sockets;
using Perennial.Testing;

namespace Perennial.Tests.WebSockets;

/// <summary>A proxy on 127.0.0.1 that answers CONNECT (RFC 9110, 9.3.6) with a tunnel, and nothing else.</summary>
internal sealed class TunnellingProxy : IAsyncDisposable
{
    private readonly ScriptedServer _server = ScriptedServer.Start(TunnelAsync);

    public Uri Address => _server.Address;

    /// <summary>Where tunnels were asked for.</summary>
    public IEnumerable<string> Targets =>
        _server.Requests.Where(static request => request.Method is "CONNECT").Select(static request => request.Target);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task TunnelAsync(ScriptedExchange client)
    {
        if (client.Request.Method is not "CONNECT")
        {
            await client.RespondAsync(405);
            return;
        }

        using var server = new TcpClient();
        await server.ConnectAsync(IPEndPoint.Parse(client.Request.Target), client.Stopping);
        await client.WriteHeadAsync(200);
        await await Task.WhenAny(UpAsync(client, server.GetStream()), DownAsync(server.GetStream(), client));
        client.Close();
    }

    private static async Task UpAsync(ScriptedExchange client, NetworkStream server)
    {
        var block = new byte[4096];
        while (await client.ReadAsync(block, client.Stopping) is > 0 and var count)
        {
            await server.WriteAsync(block.AsMemory(0, count), client.Stopping);
        }
    }

    private static async Task DownAsync(NetworkStream server, ScriptedExchange client)
    {
        var block = new byte[4096];
        while (await server.ReadAsync(block, client.Stopping) is > 0 and var count)
        {
            await client.WriteAsync(block.AsMemory(0, count), client.Stopping);
        }
    }
}
