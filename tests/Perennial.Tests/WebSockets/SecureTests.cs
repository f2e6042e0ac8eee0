using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.WebSockets;

/// <summary>WebSockets over TLS, through a proxy, and to servers that ask who is there.</summary>
public class SecureTests
{
    [Theory]
    [InlineData("wss")]
    [InlineData("https")]
    public async Task A_socket_over_tls_carries_messages_both_ways(string scheme)
    {
        using var certificate = SelfSigned.Create();
        await using var app = await StartEchoAsync(certificate);
        await using var probe =
            Sockets.Probe(Sockets.OptionsFor(EndpointOf(app, scheme)) with { Http = new() { Tls = SelfSigned.Trusting(certificate) } });

        await probe.Transport.SendAsync("hello", probe.Token);

        (await probe.ReadTextsAsync()).ShouldBe(["hello"]);
    }

    [Theory]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task A_handshake_may_break_off_anywhere(CutMode how)
    {
        using var certificate = SelfSigned.Create();
        await using var app = await StartAsync(certificate, static async (socket, aborted) =>
        {
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, aborted);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, aborted);
        });
        for (var cut = 0; cut < 1600; cut += 23)
        {
            await using var proxy = FaultProxy.Start(EndpointOf(app, "wss"), FaultPlan.InOrder(FaultPlan.Cut(cut, how), FaultPlan.None));
            await using var probe =
                Sockets.Probe(Sockets.OptionsFor(proxy.Address) with { Http = new() { Tls = SelfSigned.Trusting(certificate) } });

            (await probe.ReadTextsAsync()).ShouldContain("hello", $"cut after byte {cut}");
        }
    }

    [Fact]
    public async Task A_certificate_nobody_vouches_for_is_final()
    {
        using var certificate = SelfSigned.Create();
        await using var app = await StartEchoAsync(certificate);
        await using var probe = Sockets.Probe(Sockets.OptionsFor(EndpointOf(app, "wss")));

        var error = (await probe.ReadToFailureAsync()).Error;

        (error.Code, error.IsTransient).ShouldBe((TransportErrorCode.ConnectFailed, false));
    }

    [Fact]
    public async Task A_proxy_is_asked_for_a_tunnel()
    {
        using var certificate = SelfSigned.Create();
        await using var app = await StartEchoAsync(certificate);
        await using var proxy = new TunnellingProxy();
        await using var probe = Sockets.Probe(Sockets.OptionsFor(EndpointOf(app, "wss")) with
        {
            Http = new() { Tls = SelfSigned.Trusting(certificate), Proxy = new EveryAddressProxy(proxy.Address) },
        });

        await probe.Transport.SendAsync("hello", probe.Token);

        (await probe.ReadTextsAsync()).ShouldBe(["hello"]);
        proxy.Targets.ShouldBe([$"127.0.0.1:{EndpointOf(app, "wss").Port}"]);
    }

    [Theory]
    [InlineData("ws")]
    [InlineData("http")]
    public async Task A_proxy_is_asked_for_a_tunnel_without_TLS_too(string scheme)
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)));
        await using var proxy = new TunnellingProxy();
        await using var probe = Sockets.Probe(Sockets.OptionsFor(new UriBuilder(server.Address) { Scheme = scheme }.Uri) with
        {
            Http = new() { Proxy = new EveryAddressProxy(proxy.Address) },
        });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        proxy.Targets.ShouldBe([$"127.0.0.1:{server.Address.Port}"]);
    }

    [Theory]
    [InlineData("ws")]
    [InlineData("http")]
    public async Task Credentials_answer_a_server_that_asks_for_them(string scheme)
    {
        await using var server = ScriptedServer.Start(
            Status(401, ("WWW-Authenticate", "Basic realm=\"here\"")), ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)));
        await using var probe = Sockets.Probe(Sockets.OptionsFor(new UriBuilder(server.Address) { Scheme = scheme }.Uri) with
        {
            Http = new() { Credentials = new NetworkCredential("me", "secret") },
        });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests.Select(static request => request.Header("Authorization")).ShouldBe([null, "Basic bWU6c2VjcmV0"]);
    }

    [Fact]
    public async Task Credentials_stay_at_home()
    {
        await using var other = ScriptedServer.Start(Status(401, ("WWW-Authenticate", "Basic realm=\"there\"")));
        await using var server = ScriptedServer.Start(Status(307, ("Location", other.Address.AbsoluteUri)));
        await using var probe =
            server.SocketProbe(static options => options with { Http = new() { Credentials = new NetworkCredential("me", "secret") } });

        (await probe.ReadToFailureAsync()).Error.HttpStatus.ShouldBe(HttpStatusCode.Unauthorized);

        other.Requests.ShouldAllBe(static request => !request.Headers.Contains("Authorization"));
    }

    private static Uri EndpointOf(WebApplication app, string scheme) => new UriBuilder(app.Urls.Single()) { Scheme = scheme }.Uri;

    /// <summary>Returns the first message, and closes.</summary>
    private static Task<WebApplication> StartEchoAsync(X509Certificate2 certificate) =>
        StartAsync(certificate, static async (socket, aborted) =>
    {
        var block = new byte[100];
        var received = await socket.ReceiveAsync(block.AsMemory(), aborted);
        await socket.SendAsync(block.AsMemory(0, received.Count), received.MessageType, true, aborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, aborted);
    });

    private static async Task<WebApplication> StartAsync(X509Certificate2 certificate, Func<WebSocket, CancellationToken, Task> serve)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseHttps(certificate)));
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await serve(socket, context.RequestAborted);
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>The platform's own leaves out loopback addresses.</summary>
    private sealed class EveryAddressProxy(Uri address) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri GetProxy(Uri destination) => address;

        public bool IsBypassed(Uri host) => false;
    }
}
