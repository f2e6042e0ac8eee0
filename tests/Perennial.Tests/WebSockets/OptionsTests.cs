using Perennial.WebSockets;

namespace Perennial.Tests.WebSockets;

/// <summary>Every option of a WebSocket out of its range is refused at construction, by name, and with what is accepted.</summary>
public class OptionsTests
{
    private static readonly WebSocketTransportOptions Good = new() { Endpoint = new Uri("ws://127.0.0.1/") };
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    public static TheoryData<string, string, WebSocketTransportOptions> Bad { get; } = new()
    {
        { "Endpoint", "ws://, wss://", Good with { Endpoint = new Uri("ftp://example.com/") } },
        { "SubProtocols", "null", Good with { SubProtocols = null! } },
        { "SubProtocols", "tokens", Good with { SubProtocols = ["fine", "not fine"] } },
        { "SubProtocols", "tokens", Good with { SubProtocols = ["a,b"] } },
        { "SubProtocols", "tokens", Good with { SubProtocols = ["a\r\nX-Injected: 1"] } },
        { "SubProtocols", "tokens", Good with { SubProtocols = [""] } },
        { "SubProtocols", "tokens", Good with { SubProtocols = [null!] } },
        { "Heartbeat", "null", Good with { Heartbeat = null! } },
        { "Heartbeat.Interval", "10 ms and 1 h", Good with { Heartbeat = new() { Interval = TimeSpan.FromMilliseconds(10) - Tick } } },
        { "Heartbeat.Interval", "Timeout.InfiniteTimeSpan", Good with { Heartbeat = new() { Interval = TimeSpan.FromHours(1) + Tick } } },
        { "Heartbeat.Timeout", "10 ms and 1 h", Good with { Heartbeat = new() { Timeout = TimeSpan.Zero } } },
        { "Heartbeat.Timeout", "10 ms and 1 h", Good with { Heartbeat = new() { Timeout = Timeout.InfiniteTimeSpan } } },
        { "Method", "GET", Good with { Method = HttpMethod.Post } },
        { "SendEndpoint", "WebSocket itself", Good with { SendEndpoint = new Uri("http://127.0.0.1/in") } },
        { "HttpVersion", "HTTP/1.1", Good with { HttpVersion = System.Net.HttpVersion.Version20 } },
        { "Method", "GET", Good with { Body = Perennial.Http.RequestBody.Text("a") } },
    };

    public static TheoryData<WebSocketTransportOptions> Fine { get; } =
    [
        Good,
        Good with { Endpoint = new Uri("wss://example.com/"), HttpVersion = System.Net.HttpVersion.Version11 },
        Good with { Endpoint = new Uri("https://example.com/") },
        Good with { Heartbeat = new() { Interval = TimeSpan.FromMilliseconds(10), Timeout = TimeSpan.FromHours(1) } },
        Good with { Heartbeat = new() { Interval = Timeout.InfiniteTimeSpan } },
        Good with { SubProtocols = ["graphql-transport-ws", "v1.json"], Compression = true },
    ];

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void A_bad_option_is_refused_by_name_and_with_what_is_accepted(string name, string accepted, WebSocketTransportOptions options)
    {
        var error = Should.Throw<ArgumentException>(() => new WebSocketTransport(options));

        error.ParamName.ShouldBe(name);
        error.Message.ShouldContain(accepted);
    }

    [Theory]
    [MemberData(nameof(Fine), DisableDiscoveryEnumeration = true)]
    public async Task Values_at_the_limits_are_accepted(WebSocketTransportOptions options)
    {
        await using var transport = new WebSocketTransport(options);

        (transport.State, transport.Kind).ShouldBe((TransportState.Idle, "websocket"));
    }
}
