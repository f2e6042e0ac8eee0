using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore.Tests.WebSockets;

public class SocketHandshakeTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_unknown_run_is_an_error_of_the_handshake()
    {
        await using var server = await RunServer.StartAsync();
        using var response = await HandshakeAsync(server, "/streams/nothing");

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("https://evil.example", 403)]
    [InlineData("http://127.0.0.1:1", 403)]
    [InlineData("http://127.0.0.1", 403)]
    [InlineData("null", 403)]
    [InlineData("http://{host}.evil.example", 403)]
    [InlineData("http://{host}", 101)]
    [InlineData("https://{host}", 101)]
    [InlineData("https://app.example.com", 101)]
    [InlineData("https://APP.example.com", 101)]
    [InlineData("http://app.example.com", 403)]
    [InlineData("https://app.example.com:8443", 403)]
    public async Task A_page_from_elsewhere_is_refused_unless_it_is_allowed(string origin, int status)
    {
        await using var server = await RunServer.StartAsync(options => options.WebSockets.AllowedOrigins.Add("https://app.example.com"));
        var run = await server.FinishedRunAsync();

        using var response = await HandshakeAsync(
            server, RunServer.PathOf(run), ("Origin", origin.Replace("{host}", server.Address.Authority, StringComparison.Ordinal)));

        ((int)response.StatusCode).ShouldBe(status);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task All_pages_may_be_allowed()
    {
        await using var server = await RunServer.StartAsync(options => options.WebSockets.AllowedOrigins.Add("*"));

        using var response = await HandshakeAsync(server, RunServer.PathOf(await server.FinishedRunAsync()), ("Origin", "null"));

        response.StatusCode.ShouldBe(HttpStatusCode.SwitchingProtocols);
    }

    [Theory]
    [InlineData("app.example.com")]
    [InlineData("https://app.example.com/")]
    [InlineData("")]
    public void What_is_no_origin_is_found_out_at_the_start(string origin)
    {
        var services = new ServiceCollection();
        services.AddPerennialServer(options => options.WebSockets.AllowedOrigins.Add(origin));
        using var provider = services.BuildServiceProvider();

        Should.Throw<ArgumentOutOfRangeException>(() => provider.GetRequiredService<IOptions<PerennialServerOptions>>().Value)
            .ParamName.ShouldBe("AllowedOrigins");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_older_version_is_told_which_one_is_spoken()
    {
        await using var server = await RunServer.StartAsync();

        using var response =
            await HandshakeAsync(server, RunServer.PathOf(await server.FinishedRunAsync()), ("Sec-WebSocket-Version", "8"));

        response.StatusCode.ShouldBe(HttpStatusCode.UpgradeRequired);
        response.Headers.GetValues("Sec-WebSocket-Version").ShouldBe(["13"]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Perennial_is_chosen_wherever_it_stands_in_the_offer()
    {
        await using var server = await RunServer.StartAsync();
        await using var client =
            await SocketClient.OpenAsync(server, await server.FinishedRunAsync(), protocols: ["graphql-ws", "perennial.v1", "mqtt"]);

        client.SubProtocol.ShouldBe("perennial.v1");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_application_may_use_web_sockets_of_its_own()
    {
        await using var server = await RunServer.StartAsync(map: app =>
        {
            app.UseWebSockets();
            app.Map("/own", async (Microsoft.AspNetCore.Http.HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestEnds);
            });
        });
        var run = await server.FinishedRunAsync("one");

        await using var client = await SocketClient.GreetedAsync(server, run);
        using var own = new ClientWebSocket();
        await own.ConnectAsync(new UriBuilder(new Uri(server.Address, "/own")) { Scheme = "ws" }.Uri, TestEnds);

        (await client.ReadToEndAsync()).Count.ShouldBe(2);
        own.State.ShouldBe(WebSocketState.Open);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Compression_is_off_unless_it_is_turned_on()
    {
        await using var plain = await RunServer.StartAsync();
        await using var compressing = await RunServer.StartAsync(options => options.WebSockets.Compression = true);

        (await ExtensionsAsync(plain)).ShouldBeNull();
        (await ExtensionsAsync(compressing)).ShouldNotBeNull().ShouldStartWith("permessage-deflate");

        static async Task<string?> ExtensionsAsync(RunServer server)
        {
            var run = await server.FinishedRunAsync(new string('x', 100_000));
            await using var client =
                await SocketClient.OpenAsync(server, run, configure: o => o.DangerousDeflateOptions = new WebSocketDeflateOptions());
            (await client.ReadToEndAsync())[1].ShouldContain(new string('x', 100_000));
            return client.Header("Sec-WebSocket-Extensions");
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Over_http_2_it_is_opened_by_connect()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer();
        await using var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync(
            async (writer, stop) => await writer.WriteAsync("one", cancellationToken: stop));
        await run.Completion;
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = System.Net.Http.HttpVersionPolicy.RequestVersionExact;
        socket.Options.AddSubProtocol(SocketClient.Perennial);
        using var handler = new SocketsHttpHandler();
        using var invoker = new HttpMessageInvoker(handler);

        await socket.ConnectAsync(
            new UriBuilder(new Uri(app.Urls.Single() + RunServer.PathOf(run))) { Scheme = "ws" }.Uri, invoker, TestEnds);

        socket.SubProtocol.ShouldBe("perennial.v1");
        var block = new byte[4096];
        var count = 0;
        while (await socket.ReceiveAsync(block.AsMemory(), TestEnds) is { MessageType: not WebSocketMessageType.Close })
        {
            count++;
        }

        count.ShouldBe(3);
        socket.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
    }

    private static async Task<HttpResponseMessage> HandshakeAsync(
        RunServer server, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (!request.Headers.Contains("Sec-WebSocket-Version"))
        {
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        }

        return await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
    }
}
