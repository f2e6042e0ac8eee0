using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using Perennial.WebSockets;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>The user and password in a URL are credentials for its origin, and shown nowhere.</summary>
public class UserInfoTests
{
    private const string Basic = "Basic dXNlcjpwYTpzcw==";      // user:pa:ss

    [Fact]
    public async Task They_are_sent_as_Basic_credentials_with_every_request()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.Request.Method is "GET"
            ? Stream("data: a\n\n", Ending.Silence)(exchange)
            : exchange.RespondAsync(200));
        await using var probe = TransportProbe.For(WithUser(server.Address));

        await probe.Transport.SendAsync("x", probe.Token);

        server.Requests.Select(request => (request.Method, request.Header("Authorization"))).ShouldBe([("GET", Basic), ("POST", Basic)]);
    }

    [Fact]
    public async Task They_are_sent_with_the_handshake_of_a_WebSocket()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)));
        var endpoint = new UriBuilder(WithUser(server.Address)) { Scheme = "ws" }.Uri;
        await using var probe = Sockets.Probe(new WebSocketTransportOptions { Endpoint = endpoint });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests[0].Header("Authorization").ShouldBe(Basic);
    }

    [Fact]
    public async Task A_redirect_to_another_origin_does_not_carry_them()
    {
        await using var other = ScriptedServer.Start(Stream("data: a\n\n"));
        await using var server = ScriptedServer.Start(Status(307, ("Location", other.Address.AbsoluteUri)));
        await using var probe = TransportProbe.For(WithUser(server.Address));

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        other.Requests[0].Header("Authorization").ShouldBeNull();
    }

    [Fact]
    public async Task Another_origin_that_messages_are_sent_to_does_not_get_them()
    {
        await using var other = ScriptedServer.Start(Status(200));
        await using var server = ScriptedServer.Start(Stream("data: a\n\n", Ending.Silence));
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = WithUser(server.Address), SendEndpoint = other.Address });

        await probe.Transport.SendAsync("x", probe.Token);

        other.Requests[0].Header("Authorization").ShouldBeNull();
    }

    [Fact]
    public async Task The_handler_that_carries_the_requests_sees_a_URL_without_them()
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n"));
        using var handler = new Recorder(new SocketsHttpHandler { AllowAutoRedirect = false });
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = WithUser(server.Address) }, new TransportServices { HttpHandler = handler });

        await probe.ReadTextsAsync();

        handler.Urls.ShouldBe([server.Address]);
        handler.Urls[0].UserInfo.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_header_of_the_callers_own_takes_their_place()
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n"));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = WithUser(server.Address),
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = "Bearer t" },
        });

        await probe.ReadTextsAsync();

        server.Requests[0].Header("Authorization").ShouldBe("Bearer t");
    }

    [Fact]
    public async Task No_error_or_log_shows_them()
    {
        await using var server = ScriptedServer.Start(Status(404));
        var log = new LogSink();
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = WithUser(server.Address) }, new TransportServices { LoggerFactory = log });

        var (_, error) = await probe.ReadToFailureAsync();

        error.ToString().ShouldNotContain("pa:ss");
        log.Lines.ShouldAllBe(
            line => !$"{line.Text} {line.Exception}".Contains("pa%3Ass") && !$"{line.Text} {line.Exception}".Contains("pa:ss"));
    }

    private static Uri WithUser(Uri address) => new($"http://user:pa%3Ass@{address.Authority}/");

    private sealed class Recorder(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public List<Uri> Urls { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Urls.Add(request.RequestUri!);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
