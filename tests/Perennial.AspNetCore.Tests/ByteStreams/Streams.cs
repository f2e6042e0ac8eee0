using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Tests.ByteStreams;

/// <summary>What tests of byte streams share.</summary>
internal static class Streams
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static Uri Tcp(Uri server, string path) => new UriBuilder(server) { Scheme = "tcp", Path = path }.Uri;

    /// <summary>A path that no other test uses.</summary>
    public static string NewSocketFile() => Path.Combine(Path.GetTempPath(), $"p{Guid.NewGuid():N}.sock");

    /// <summary>A server that listens on TCP and on a socket file.</summary>
    public static Task<RunServer> StartOnUnixSocketAsync(string file) => RunServer.StartAsync(
        services: services => services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.ListenUnixSocket(file);
        }));

    public static async Task<Stream> ConnectAsync(string file, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(file), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public static async Task<List<string>> ReadAsync(Transport transport)
    {
        List<string> texts = [];
        await foreach (var message in transport.ReadAllAsync(TestEnds))
        {
            texts.Add(message.Text);
        }

        return texts;
    }
}
