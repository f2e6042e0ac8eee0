using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using Perennial.WebSockets;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>The path and query of a URL are sent byte for byte: a signature may cover them.</summary>
public class GivenUrlTests
{
    private const string Given = "/x%7Ey/%zz//a/../b?sig=a%7Eb%2D&c=%e4";

    [Theory]
    [InlineData("")]
    [InlineData("user:p%7Ew@")]
    public async Task An_SSE_request_sends_the_url_as_it_was_given(string userInfo)
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n"));
        await using var probe = TransportProbe.For(Url(server, "http", userInfo));

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests[0].Target.ShouldBe(Given);
    }

    [Theory]
    [InlineData("ws", "")]
    [InlineData("ws", "user:p%7Ew@")]
    [InlineData("http", "")]
    public async Task A_handshake_sends_the_url_as_it_was_given(string scheme, string userInfo)
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)));
        await using var probe = Sockets.Probe(new WebSocketTransportOptions { Endpoint = Url(server, scheme, userInfo) });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests[0].Target.ShouldBe(Given);
    }

    [Theory]
    [InlineData("/y%7E?q=%2D#f", "/y%7E?q=%2D")]
    [InlineData("?q=%2D", "/d%7E/x?q=%2D")]
    [InlineData("z%7E", "/d%7E/z%7E")]
    [InlineData("{0}/y%7E?q=%2D", "/y%7E?q=%2D")]
    [InlineData("../z%7E", "/z%7E")]
    public async Task A_redirect_is_followed_to_the_url_as_it_was_given(string location, string target)
    {
        await using var server = ScriptedServer.Start(
            exchange =>
                exchange.RespondAsync(
                    307, "", ("Location", location.Replace("{0}", $"http://{exchange.Request.Header("Host")}", StringComparison.Ordinal))),
            Stream("data: a\n\n"));
        await using var probe = TransportProbe.For(new Uri($"http://{server.Address.Authority}/d%7E/x?old=%7E"));

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests.Select(request => request.Target).ShouldBe(["/d%7E/x?old=%7E", target]);
    }

    [Fact]
    public async Task A_redirect_of_a_handshake_is_followed_to_the_url_as_it_was_given()
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.RespondAsync(307, "", ("Location", $"http://{exchange.Request.Header("Host")}{Given}")),
            ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)));
        await using var probe = Sockets.Probe(new WebSocketTransportOptions { Endpoint = server.Address });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        server.Requests[1].Target.ShouldBe(Given);
    }

    [Fact]
    public async Task A_stream_is_resumed_at_the_resource_as_the_server_named_it()
    {
        await using var server = ScriptedServer.Start(
            Stream("id: 1\ndata: a\n\n", Ending.Reset, ("Content-Location", "/runs/7%7E?sig=%2D")),
            Stream("id: 2\ndata: b\n\n"));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = Url(server, "http", ""),
            Body = RequestBody.Text("x"),
            Reconnect = TransportProbe.AtOnce,
        });

        (await probe.ReadTextsAsync()).ShouldBe(["a", "b"]);

        server.Requests.Select(request => request.Target).ShouldBe([Given, "/runs/7%7E?sig=%2D"]);
    }

    [Theory]
    [InlineData("http://h/a b\u00E4\r\nX: {1}", "/a%20b%C3%A4%0D%0AX:%20%7B1%7D")]
    [InlineData("http://h?x=%7E", "/?x=%7E")]
    [InlineData("http://h#/x%7E", "/")]
    [InlineData("http://h/%7E?a=b?c/d#e#f", "/%7E?a=b?c/d")]
    [InlineData("http://[::1]:81/%7E", "/%7E")]
    [InlineData("http://h/a\\b%7E", "/a/b~")]
    public void What_cannot_stand_in_a_request_line_is_encoded(string url, string target) =>
        GivenUrl.OnTheWire(new Uri(url)).PathAndQuery.ShouldBe(target);

    [Fact]
    public void A_url_that_the_platform_leaves_alone_is_used_itself()
    {
        var url = new Uri("http://h/a?b=c");

        GivenUrl.OnTheWire(url).ShouldBeSameAs(url);
    }

    /// <summary>With a fragment, which is not sent.</summary>
    private static Uri Url(ScriptedServer server, string scheme, string userInfo) =>
        new($"{scheme}://{userInfo}{server.Address.Authority}{Given}#part%7E");
}
