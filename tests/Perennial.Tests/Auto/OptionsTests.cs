using System.Net;
using Perennial.Auto;
using Perennial.Http;
using Perennial.WebSockets;

namespace Perennial.Tests.Auto;

/// <summary>What is refused at once, and that each protocol is told what the transport is told.</summary>
public class OptionsTests
{
    private static readonly AutoTransportOptions Good = new() { Endpoint = new Uri("https://example.com/stream") };

    public static TheoryData<string, AutoTransportOptions> Bad { get; } = new()
    {
        { "Order", Good with { Order = [] } },
        { "Order", Good with { Order = null! } },
        { "Order", Good with { Order = [AutoProtocol.Sse, AutoProtocol.Sse] } },
        { "Order", Good with { Order = [(AutoProtocol)9] } },
        { "Order", Good with { Order = [AutoProtocol.WebSocket, AutoProtocol.LongPoll], Method = HttpMethod.Post } },
        { "AttemptTimeout", Good with { AttemptTimeout = TimeSpan.Zero } },
        { "WebSocket", Good with { WebSocket = null! } },
        { "SubProtocols", Good with { WebSocket = new() { SubProtocols = ["a b"] } } },
        { "Interval", Good with { LongPollInterval = TimeSpan.FromHours(1) } },
        { "Endpoint", Good with { Endpoint = new Uri("ws://example.com/") } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_option_is_named(string name, AutoTransportOptions options) =>
        Should.Throw<ArgumentException>(() => new AutoTransport(options)).ParamName!.ShouldContain(name);

    [Fact]
    public void An_endpoint_is_enough()
    {
        new AutoTransport(Good).Kind.ShouldBe("auto");
        Good.Order.ShouldBe([AutoProtocol.WebSocket, AutoProtocol.Sse, AutoProtocol.HttpStream, AutoProtocol.LongPoll]);
    }

    [Fact]
    public void Every_shared_option_reaches_every_protocol()
    {
        var options = Good with
        {
            LastEventId = "7",
            MaxMessageBytes = 5,
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" },
            HttpVersion = HttpVersion.Version20,
            AllowReplay = true,
            WebSocket = new() { SubProtocols = ["chat"], Compression = true, Heartbeat = new() { AsJson = true } },
            LongPollInterval = TimeSpan.FromSeconds(2),
        };

        foreach (var one in (HttpTransportOptions[])[options.ForSse(), options.ForHttpStream(), options.ForLongPoll(), options.ForWebSocket()])
        {
            (one.Endpoint, one.LastEventId, one.MaxMessageBytes, one.AllowReplay).ShouldBe((options.Endpoint, "7", 5, true));
            one.HttpVersion.ShouldBe(one is WebSocketTransportOptions ? null : HttpVersion.Version20);
            one.Headers.ShouldBeSameAs(options.Headers);
        }

        options.ForLongPoll().Interval.ShouldBe(TimeSpan.FromSeconds(2));
        var webSocket = options.ForWebSocket();
        (webSocket.SubProtocols.Single(), webSocket.Compression, webSocket.Heartbeat.AsJson).ShouldBe(("chat", true, true));
    }
}
