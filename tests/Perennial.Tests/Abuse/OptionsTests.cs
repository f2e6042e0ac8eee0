using Perennial.Testing;
using Perennial.Http;
using Perennial.Sse;

namespace Perennial.Tests.Abuse;

/// <summary>Every option out of its range is refused at construction, by name, and with what is accepted.</summary>
public class OptionsTests
{
    [Fact]
    public void A_transport_of_ones_own_says_which_schemes_it_speaks()
    {
        new QueueOptions { Endpoint = new Uri("mqtt://example.com/room") }.Validate();
        Should.Throw<ArgumentException>(
            new QueueOptions { Endpoint = new Uri("http://example.com/room") }.Validate).Message.ShouldContain("mqtt://");
    }

    [Fact]
    public void A_message_may_have_16_MiB_by_default() =>
        new Perennial.Sse.SseTransportOptions { Endpoint = new Uri("https://example.com/") }.MaxMessageBytes.ShouldBe(16 * 1024 * 1024);

    private static readonly SseTransportOptions Good = new() { Endpoint = new Uri("http://127.0.0.1/") };
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    public static TheoryData<string, string, SseTransportOptions> Bad { get; } = new()
    {
        { "Endpoint", "http://", Good with { Endpoint = null! } },
        { "Endpoint", "absolute", Good with { Endpoint = new Uri("/stream", UriKind.Relative) } },
        { "Endpoint", "https://", Good with { Endpoint = new Uri("ftp://example.com/") } },
        { "Endpoint", "https://", Good with { Endpoint = new Uri("file:///etc/passwd") } },
        { "ConnectTimeout", "1 ms and 1 h", Good with { ConnectTimeout = TimeSpan.Zero } },
        { "ConnectTimeout", "1 ms and 1 h", Good with { ConnectTimeout = Timeout.InfiniteTimeSpan } },
        { "ConnectTimeout", "1 ms and 1 h", Good with { ConnectTimeout = TimeSpan.FromHours(1) + Tick } },
        { "IdleTimeout", "Timeout.InfiniteTimeSpan", Good with { IdleTimeout = TimeSpan.Zero } },
        { "IdleTimeout", "24 h", Good with { IdleTimeout = TimeSpan.FromHours(24) + Tick } },
        { "MaxMessageBytes", "between 1 and", Good with { MaxMessageBytes = 0 } },
        { "MaxMessageBytes", "1,073,741,824", Good with { MaxMessageBytes = int.MaxValue } },
        { "LastEventId", "CR, LF or NUL", Good with { LastEventId = "a\rb" } },
        { "LastEventId", "CR, LF or NUL", Good with { LastEventId = "a\nX-Injected: 1" } },
        { "LastEventId", "CR, LF or NUL", Good with { LastEventId = "a\0b" } },
        { "EndOfStream", "RequireMarker", Good with { EndOfStream = (EndOfStreamPolicy)9 } },
        { "Reconnect", "null", Good with { Reconnect = null! } },
        { "Reconnect.MaxAttempts", "between 0 and", Good with { Reconnect = new ReconnectOptions { MaxAttempts = -1 } } },
        { "Reconnect.InitialDelay", "1 h", Good with { Reconnect = new ReconnectOptions { InitialDelay = -Tick } } },
        { "Reconnect.InitialDelay", "1 h", Good with { Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromHours(1) + Tick } } },
        { "Reconnect.Multiplier", "between 1 and 100", Good with { Reconnect = new ReconnectOptions { Multiplier = 0.99 } } },
        { "Reconnect.Multiplier", "between 1 and 100", Good with { Reconnect = new ReconnectOptions { Multiplier = 101 } } },
        { "Reconnect.Multiplier", "between 1 and 100", Good with { Reconnect = new ReconnectOptions { Multiplier = double.NaN } } },
        { "Reconnect.MaxDelay", "24 h", Good with { Reconnect = new ReconnectOptions { MaxDelay = -Tick } } },
        { "Reconnect.MaxDelay", "24 h", Good with { Reconnect = new ReconnectOptions { MaxDelay = TimeSpan.FromHours(24) + Tick } } },
        { "Reconnect.StableAfter", "24 h", Good with { Reconnect = new ReconnectOptions { StableAfter = -Tick } } },
        { "Reconnect.StableAfter", "24 h", Good with { Reconnect = new ReconnectOptions { StableAfter = TimeSpan.MaxValue } } },
        { "Reconnect.MaxRetryAfter", "24 h", Good with { Reconnect = new ReconnectOptions { MaxRetryAfter = -Tick } } },
        { "Reconnect.MaxRetryAfter", "24 h", Good with { Reconnect = new ReconnectOptions { MaxRetryAfter = TimeSpan.MaxValue } } },
        { "Reconnect.RetryStatusCodes", "null", Good with { Reconnect = new ReconnectOptions { RetryStatusCodes = null! } } },
        { "Buffer", "null", Good with { Buffer = null! } },
        { "Buffer.Capacity", "between 1 and 1,000,000", Good with { Buffer = new BufferOptions { Capacity = 0 } } },
        { "Buffer.Capacity", "between 1 and 1,000,000", Good with { Buffer = new BufferOptions { Capacity = 1_000_001 } } },
        { "Buffer.FullMode", "DropOldest", Good with { Buffer = new BufferOptions { FullMode = (BufferFullMode)9 } } },
        { "Buffer.HighWaterMark", "above 0 and at most 1", Good with { Buffer = new BufferOptions { HighWaterMark = 0 } } },
        { "Buffer.HighWaterMark", "above 0 and at most 1", Good with { Buffer = new BufferOptions { HighWaterMark = 1.01 } } },
        { "Buffer.HighWaterMark", "above 0 and at most 1", Good with { Buffer = new BufferOptions { HighWaterMark = double.NaN } } },
        { "Send", "null", Good with { Send = null! } },
        { "Send.QueueCapacity", "between 1 and 100,000", Good with { Send = new SendOptions { QueueCapacity = 0 } } },
        { "Send.QueueCapacity", "between 1 and 100,000", Good with { Send = new SendOptions { QueueCapacity = 100_001 } } },
        { "Send.MaxMessageBytes", "between 1 and", Good with { Send = new SendOptions { MaxMessageBytes = 0 } } },
        { "Send.Timeout", "1 ms and 1 h", Good with { Send = new SendOptions { Timeout = TimeSpan.Zero } } },
        { "Send.Timeout", "1 ms and 1 h", Good with { Send = new SendOptions { Timeout = TimeSpan.FromHours(2) } } },
        { "Headers", "null", Good with { Headers = null! } },
        { "Headers", "X-Evil", WithHeader("X-Evil", "a\r\nX-Injected: 1") },
        { "Headers", "X-Evil", WithHeader("X-Evil", "a\nb") },
        { "Headers", "X-Evil", WithHeader("X-Evil", "a\0b") },
        { "Headers", "ASCII", WithHeader("X-Evil", "über") },
        { "Headers", "X-Evil", WithHeader("X-Evil", null!) },
        { "Headers", "token", WithHeader("X Evil", "a") },
        { "Headers", "token", WithHeader("X-Evil\r\nX-Injected", "a") },
        { "Headers", "token", WithHeader("", "a") },
        { "Body", "Content-Type", Good with { Body = RequestBody.Text("a", "text/plain\r\nX-Injected: 1") } },
        { "Method", "POST", Good with { Method = HttpMethod.Get, Body = RequestBody.Text("a") } },
        { "SendEndpoint", "absolute", Good with { SendEndpoint = new Uri("/send", UriKind.Relative) } },
        { "HttpVersion", "1.1 or 2.0", Good with { HttpVersion = new Version(3, 0) } },
        { "Http", "null", Good with { Http = null! } },
    };

    public static TheoryData<SseTransportOptions> AtTheLimits { get; } =
    [
        Good with { ConnectTimeout = TimeSpan.FromMilliseconds(1), IdleTimeout = TimeSpan.FromMilliseconds(1), MaxMessageBytes = 1 },
        Good with { ConnectTimeout = TimeSpan.FromHours(1), IdleTimeout = TimeSpan.FromHours(24), MaxMessageBytes = 1 << 30 },
        Good with { IdleTimeout = Timeout.InfiniteTimeSpan, LastEventId = "ü 1" },
        Good with { Buffer = new BufferOptions { Capacity = 1, HighWaterMark = double.Epsilon } },
        Good with { Buffer = new BufferOptions { Capacity = 1_000_000, HighWaterMark = 1 } },
        Good with { Reconnect = new ReconnectOptions { MaxAttempts = 0, InitialDelay = TimeSpan.Zero, Multiplier = 1, MaxDelay = TimeSpan.Zero } },
        Good with { Reconnect = new ReconnectOptions { MaxAttempts = ReconnectOptions.Unlimited, Multiplier = 100, MaxDelay = TimeSpan.FromHours(24) } },
        Good with { Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["X-Fine"] = "a\tb \"c\"", ["X-Empty"] = "" } },
    ];

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void A_bad_option_is_refused_by_name_and_with_what_is_accepted(string name, string accepted, SseTransportOptions options)
    {
        var error = Should.Throw<ArgumentException>(() => new SseTransport(options));

        error.ParamName.ShouldBe(name);
        error.Message.ShouldContain(name);
        if (options.Endpoint is not null)
        {
            error.Message.ShouldContain(accepted);
        }
    }

    [Theory]
    [MemberData(nameof(AtTheLimits), DisableDiscoveryEnumeration = true)]
    public async Task Values_at_the_limits_are_accepted(SseTransportOptions options)
    {
        await using var transport = new SseTransport(options);

        transport.State.ShouldBe(TransportState.Idle);
    }

    [Fact]
    public async Task A_message_too_large_to_send_is_refused_at_the_call()
    {
        await using var transport = new InMemoryTransport(new InMemoryTransportOptions { Send = new SendOptions { MaxMessageBytes = 3 } });

        (await Should.ThrowAsync<ArgumentException>(() => transport.SendAsync("four"))).Message.ShouldContain(
            "Send.MaxMessageBytes allows at most 3");
        transport.State.ShouldBe(TransportState.Idle);
    }

    private static SseTransportOptions WithHeader(string name, string value) =>
        Good with { Headers = new Dictionary<string, string>(StringComparer.Ordinal) { [name] = value } };

    private sealed record QueueOptions : TransportOptions
    {
        protected override IReadOnlyList<string> Schemes => ["mqtt", "mqtts"];
    }
}
