using Perennial.Http;
using Perennial.Testing;
using Perennial.WebSockets;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.WebSockets;

/// <summary>The opening handshake (RFC 6455, 4): what is asked, and which answers count.</summary>
public class HandshakeTests
{
    private static readonly Func<ScriptedExchange, Task> Works = ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000));

    [Theory]
    [InlineData("ws")]
    [InlineData("http")]
    public async Task The_request_asks_for_an_upgrade(string scheme)
    {
        await using var server = ScriptedServer.Start(Works);
        await using var probe = server.SocketProbe(options => options with
        {
            Endpoint = new UriBuilder(new Uri(server.Address, "/chat?room=1")) { Scheme = scheme }.Uri,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["X-Tenant"] = "acme", ["Origin"] = "https://example.com" },
        });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        var request = server.Requests.ShouldHaveSingleItem();
        (request.Method, request.Target).ShouldBe(("GET", "/chat?room=1"));
        request.Header("Host").ShouldBe($"127.0.0.1:{server.Address.Port}");
        request.Header("Connection").ShouldBe("Upgrade");
        request.Header("Upgrade").ShouldBe("websocket");
        request.Header("Sec-WebSocket-Version").ShouldBe("13");
        Convert.FromBase64String(request.Header("Sec-WebSocket-Key")!).Length.ShouldBe(16);
        (request.Header("X-Tenant"), request.Header("Origin")).ShouldBe(("acme", "https://example.com"));
        request.Header("Sec-WebSocket-Protocol").ShouldBe("perennial.v1");
        request.Headers.Contains("Sec-WebSocket-Extensions").ShouldBeFalse();
    }

    [Fact]
    public async Task Every_connection_has_a_key_of_its_own()
    {
        await using var server = ScriptedServer.Start(ServerSocket.SendsAndEnds(), Works);
        await using var probe = server.SocketProbe();

        await probe.ReadTextsAsync();

        server.Requests.Select(static request => request.Header("Sec-WebSocket-Key")).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
    }

    public static TheoryData<string, string?, string?, string?> WrongAnswers { get; } = new()
    {
        { "Sec-WebSocket-Accept", "Upgrade", "websocket", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
        { "Sec-WebSocket-Accept", "Upgrade", "websocket", null },
        { "Upgrade", "Upgrade", null, "right" },
        { "Upgrade", "Upgrade", "h2c", "right" },
        { "Connection", null, "websocket", "right" },
        { "Connection", "keep-alive", "websocket", "right" },
    };

    [Theory]
    [MemberData(nameof(WrongAnswers))]
    public async Task An_answer_that_is_not_the_one_to_the_request_is_final(
        string named, string? connection, string? upgrade, string? accept)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            (string, string?)[] headers =
            [
                ("Connection", connection), ("Upgrade", upgrade),
                ("Sec-WebSocket-Accept", accept is "right" ? ServerSocket.AcceptFor(exchange.Request.Header("Sec-WebSocket-Key")!) : accept),
            ];
            await exchange.WriteHeadAsync(
                101, [.. headers.Where(static header => header.Item2 is not null).Select(static header => (header.Item1, header.Item2!))]);
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });

        await ShouldBeViolation(server, named);
    }

    [Theory]
    [InlineData("keep-alive, Upgrade", "WebSocket")]
    [InlineData("upgrade", "WEBSOCKET")]
    public async Task Case_and_company_of_the_words_do_not_matter(string connection, string upgrade)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(
                101, ("Connection", connection), ("Upgrade", upgrade),
                ("Sec-WebSocket-Accept", ServerSocket.AcceptFor(exchange.Request.Header("Sec-WebSocket-Key")!)));
            await exchange.WriteAsync(Frame.Close(1000).ToBytes());
            exchange.Close();
        });
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_does_not_switch_protocols_is_refused()
    {
        await using var server = ScriptedServer.Start(Status(200));

        await ShouldBeViolation(server, "switch");
    }

    [Theory]
    [InlineData("Sec-WebSocket-Protocol", "chat.v3")]
    [InlineData("Sec-WebSocket-Protocol", "CHAT.v1")]
    [InlineData("Sec-WebSocket-Extensions", "permessage-deflate")]
    [InlineData("Sec-WebSocket-Extensions", "x-unknown")]
    public async Task What_was_not_offered_must_not_be_chosen(string name, string value)
    {
        await using var server =
            ScriptedServer.Start(ServerSocket.Script(static socket => socket.WaitForClientCloseAsync(), (name, value)));

        await ShouldBeViolation(server, "not offered", static options => options with { SubProtocols = ["chat.v1", "chat.v2"] });
    }

    [Theory]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; mux")]
    [InlineData("permessage-deflate, x-unknown")]
    public async Task Compression_must_be_agreed_to_in_words_of_the_standard(string value)
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(static socket => socket.WaitForClientCloseAsync(), ("Sec-WebSocket-Extensions", value)));

        await ShouldBeViolation(server, "offered", static options => options with { Compression = true });
    }

    [Theory]
    [InlineData("chat.v2")]
    [InlineData(null)]
    public async Task Subprotocols_are_offered_in_order_and_the_server_may_choose_one(string? chosen)
    {
        (string, string)[] headers = chosen is null ? [] : [("Sec-WebSocket-Protocol", chosen)];
        await using var server = ScriptedServer.Start(ServerSocket.Script(static socket => socket.SendAsync(Frame.Close(1000)), headers));
        await using var probe = server.SocketProbe(static options => options with { SubProtocols = ["chat.v1", "chat.v2"] });

        await probe.ReadTextsAsync();

        server.Requests.ShouldHaveSingleItem().Header("Sec-WebSocket-Protocol").ShouldBe("chat.v1, chat.v2, perennial.v1");
    }

    [Fact]
    public async Task After_a_401_credentials_are_renewed_once()
    {
        await using var server = ScriptedServer.Start(Status(401), Works);
        await using var probe = server.SocketProbe(static options => options with { ConfigureRequest = Authorize });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests.Select(static request => request.Header("Authorization")).ShouldBe(["Bearer cached", "Bearer fresh"]);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(400, 1)]
    [InlineData(401, 2)]
    [InlineData(403, 1)]
    [InlineData(404, 1)]
    [InlineData(426, 1)]
    public async Task A_refusal_is_final(int status, int requests)
    {
        await using var server = ScriptedServer.Start(Status(status));
        await using var probe = server.SocketProbe(static options => options with { ConfigureRequest = Authorize });

        var (_, error) = await probe.ReadToFailureAsync();

        (error.Code, (int?)error.HttpStatus, error.IsTransient).ShouldBe((TransportErrorCode.HttpStatus, status, false));
        server.Requests.Count.ShouldBe(requests);
    }

    [Fact]
    public async Task A_server_that_asks_to_come_back_later_is_obeyed()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(Status(503, ("Retry-After", "7")), Works);
        await using var probe = server.SocketProbe(time: clock);
        var reading = probe.ReadTextsAsync();

        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(7), probe.Token);
        server.Requests.Count.ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(7));

        (await reading).ShouldBe(["a"]);
    }

    [Theory]
    [InlineData(302)]
    [InlineData(307)]
    public async Task A_redirect_is_followed_and_takes_everything_along_at_home(int status)
    {
        await using var server = ScriptedServer.Start(Status(status, ("Location", "/there")), Works);
        await using var probe = server.SocketProbe(WithSecrets);

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        var followed = server.Requests[1];
        (followed.Target, followed.Header("Cookie"), followed.Header("Authorization")).ShouldBe(
            ("/there", "session=secret", "Bearer cached"));
        followed.Header("Sec-WebSocket-Protocol").ShouldBe("chat, token.secret, perennial.v1");
    }

    [Fact]
    public async Task A_redirect_to_another_origin_takes_the_handshake_along_and_no_credentials()
    {
        await using var other = ScriptedServer.Start(Works);
        await using var server = ScriptedServer.Start(Status(307, ("Location", other.Address.AbsoluteUri)));
        await using var probe = server.SocketProbe(WithSecrets);

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        var abroad = other.Requests.ShouldHaveSingleItem();
        abroad.Header("Upgrade").ShouldBe("websocket");
        abroad.Header("Sec-WebSocket-Protocol").ShouldBe("perennial.v1");
        string[] confidential = ["Authorization", "Cookie"];
        confidential.ShouldAllBe(name => server.Requests[0].Headers.Contains(name));
        confidential.ShouldAllBe(name => !abroad.Headers.Contains(name));
    }

    private static WebSocketTransportOptions WithSecrets(WebSocketTransportOptions options) => options with
    {
        Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Cookie"] = "session=secret" },
        ConfigureRequest = Authorize,
        SubProtocols = ["chat", "token.secret"],     // some servers take tokens here, since browsers can set no other header
    };

    private static ValueTask Authorize(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var isRejected = request.Options.TryGetValue(HttpTransportOptions.CredentialsRejected, out var value) && value;
        request.Headers.Authorization = new("Bearer", isRejected ? "fresh" : "cached");
        return ValueTask.CompletedTask;
    }

    private static async Task ShouldBeViolation(
        ScriptedServer server, string says,
        Func<WebSocketTransportOptions, WebSocketTransportOptions>? change = null)
    {
        await using var probe = server.SocketProbe(change);

        var (_, error) = await probe.ReadToFailureAsync();

        (error.Code, error.IsTransient).ShouldBe((TransportErrorCode.ProtocolViolation, false));
        error.Message.ShouldContain(says);
        server.Requests.Count.ShouldBe(1);
    }
}
