using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Streams;
using Perennial.WebSockets;

namespace Perennial.Hosting.Tests;

/// <summary>Transports and limits from a configuration.</summary>
public class ConfigurationTests
{
    [Fact]
    public void Every_setting_of_every_kind_can_be_read()
    {
        var options = Read("""
            {
              "Manager": { "MaxTransports": 7, "MaxIdleTime": "infinite", "CircuitBreaker": { "Failures": 3, "BreakTime": "00:00:02" } },
              "Transports": {
                "prices": {
                  "Kind": "sse",
                  "Endpoint": "https://example.com/prices?key=1",
                  "connecttimeout": "00:00:05",
                  "IdleTimeout": "00:02:00",
                  "EndOfStream": "requiremarker",
                  "LastEventId": "41",
                  "HttpVersion": "2.0",
                  "AllowReplay": true,
                  "Headers": { "X-Key": "secret", "X-Other": "2" },
                  "Reconnect": { "MaxAttempts": 10, "Multiplier": 1.5, "Jitter": false, "RetryStatusCodes": [ 503, "BadGateway" ] },
                  "Buffer": { "Capacity": 50, "FullMode": "DropOldest", "HighWaterMark": 0.5 },
                  "Http": { "PingInterval": "00:00:20", "Decompression": "GZip" }
                },
                "commands": { "Kind": "websocket", "Endpoint": "wss://example.com/", "SubProtocols": [ "v2", "v1" ], "Heartbeat": { "AsJson": true } },
                "log": { "Kind": "http-stream", "Endpoint": "http://example.com/", "Method": "POST", "Framing": "Raw" },
                "news": { "Kind": "long-poll", "Endpoint": "http://example.com/", "Interval": "00:00:01" },
                "local": { "Kind": "byte-stream", "Endpoint": "unix:/run/app.sock:/streams/7", "Heartbeat": { "Interval": "00:00:05" } }
              }
            }
            """);

        options.Manager.MaxTransports.ShouldBe(7);
        options.Manager.MaxIdleTime.ShouldBe(Timeout.InfiniteTimeSpan);
        options.Manager.HealthCheckInterval.ShouldBe(TimeSpan.FromSeconds(30));
        options.Manager.CircuitBreaker.ShouldBe(new CircuitBreakerOptions { Failures = 3, BreakTime = TimeSpan.FromSeconds(2) });
        var prices = options.Transports["prices"].Options.ShouldBeOfType<SseTransportOptions>();
        prices.Endpoint.ShouldBe(new Uri("https://example.com/prices?key=1"));
        prices.ConnectTimeout.ShouldBe(TimeSpan.FromSeconds(5));
        prices.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(2));
        prices.EndOfStream.ShouldBe(EndOfStreamPolicy.RequireMarker);
        prices.LastEventId.ShouldBe("41");
        prices.HttpVersion.ShouldBe(HttpVersion.Version20);
        prices.AllowReplay.ShouldBe(true);
        prices.Headers.ShouldBe(new Dictionary<string, string> { ["X-Key"] = "secret", ["X-Other"] = "2" }, ignoreOrder: true);
        (prices.Reconnect.MaxAttempts, prices.Reconnect.Multiplier, prices.Reconnect.Jitter).ShouldBe((10, 1.5, false));
        prices.Reconnect.RetryStatusCodes.ShouldBe([HttpStatusCode.ServiceUnavailable, HttpStatusCode.BadGateway], ignoreOrder: true);
        prices.Buffer.ShouldBe(new BufferOptions { Capacity = 50, FullMode = BufferFullMode.DropOldest, HighWaterMark = 0.5 });
        prices.Http.ShouldBe(
            new HttpConnectionOptions { PingInterval = TimeSpan.FromSeconds(20), Decompression = DecompressionMethods.GZip });
        var commands = options.Transports["commands"].Options.ShouldBeOfType<WebSocketTransportOptions>();
        commands.SubProtocols.ShouldBe(["v2", "v1"]);
        commands.Heartbeat.AsJson.ShouldBeTrue();
        var log = options.Transports["log"].Options.ShouldBeOfType<HttpStreamTransportOptions>();
        (log.Method, log.Framing).ShouldBe((HttpMethod.Post, StreamFraming.Raw));
        options.Transports["news"].Options.ShouldBeOfType<LongPollTransportOptions>().Interval.ShouldBe(TimeSpan.FromSeconds(1));
        var local = options.Transports["local"].Options.ShouldBeOfType<ByteStreamTransportOptions>();
        local.Heartbeat.Interval.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Every_wrong_value_is_named_at_once_with_what_is_accepted_and_none_is_repeated()
    {
        var wrong = Should.Throw<OptionsValidationException>(() => Read("""
            {
              "Manger": {},
              "Manager": {
                "MaxTransports": 0,
                "MaxIdleTime": "soon",
                "CloseTimeout": "01:00:00",
                "CircuitBreaker": { "Failures": 1, "BreakTime": "00:10:00" }
              },
              "Transports": {
                "prices": {
                  "Kind": "sse",
                  "Endpoint": "ftp://user:hunter2@example.com/?key=hunter2",
                  "ConnectTimeout": "hunter2",
                  "IdleTimeout": "00:00:00",
                  "EndOfStream": "whenever",
                  "Reconect": { "MaxAttempts": 1 },
                  "Reconnect": { "MaxAttempts": -1, "Multiplier": 0.5, "MaxDelay": "2.00:00:00", "RetryStatusCodes": [ "hunter2" ] },
                  "Buffer": { "Capacity": "many", "HighWaterMark": 2 },
                  "Headers": { "Bad Name": "hunter2", "X-Bad": "hunter2\nhunter2" },
                  "Body": "hunter2"
                },
                "birds": { "Kind": "carrier-pigeon" },
                "news": { "Kind": "long-poll", "Method": "POST", "Interval": "00:05:00" }
              }
            }
            """));

        wrong.Failures.ShouldBe(
            [
                "Manger: unknown setting; accepted are Manager and Transports.",
                "Manager:MaxIdleTime must be a duration such as 00:00:30, or infinite.",
                "Manager: MaxTransports must be between 1 and 1,000,000.",
                "Manager: CloseTimeout must be between 100 ms and 5 min.",
                "Manager: CircuitBreaker.Failures must be between 2 and 1,000.",
                "Manager: CircuitBreaker.MaxBreakTime must be at least BreakTime.",
                "Transports:prices:ConnectTimeout must be a duration such as 00:00:30, or infinite.",
                "Transports:prices:EndOfStream must be one of Complete, RequireMarker, Reconnect.",
                "Transports:prices:Reconect: unknown setting; accepted are AllowReplay, Body, Buffer, Classify, ConfigureRequest, ConnectTimeout, Dialect, "
                    + "EndOfStream, Endpoint, Headers, Http, HttpClient, HttpVersion, IdleTimeout, Kind, LastEventId, MaxMessageBytes, Method, Reconnect, ResumeFrom, Send, SendEndpoint.",
                "Transports:prices:Reconnect:RetryStatusCodes must be one of " + string.Join(", ", Enum.GetNames<HttpStatusCode>()) + ".",
                "Transports:prices:Buffer:Capacity must be a whole number.",
                "Transports:prices:Body cannot be set in the configuration; set it in code.",
                "Transports:prices: Endpoint must be an absolute URL that starts with http://, https://.",
                "Transports:prices: IdleTimeout must be between 1 ms and 24 h, or Timeout.InfiniteTimeSpan.",
                "Transports:prices: Reconnect.MaxAttempts must be between 0 and 2,147,483,647.",
                "Transports:prices: Reconnect.Multiplier must be between 1 and 100.",
                "Transports:prices: Reconnect.MaxDelay must be between 0 ms and 24 h.",
                "Transports:prices: Buffer.HighWaterMark must be above 0 and at most 1.",
                "Transports:prices: Headers holds a header whose name is not a token (RFC 9110, 5.6.2).",
                "Transports:prices: The value of header 'X-Bad' in Headers must be printable ASCII: no CR, LF, NUL or letters beyond it.",
                "Transports:birds:Kind must be one of auto, byte-stream, http-stream, long-poll, sse, websocket.",
                "Transports:news: Endpoint must not be null.",
                "Transports:news: Interval must be between 0 ms and 1 min.",
                "Transports:news: Long polling repeats its request, so it must be GET without a Body.",
            ],
            ignoreOrder: true);
        wrong.ToString().ShouldNotContain("hunter2");
    }

    [Fact]
    public void Null_turns_off_what_can_be_off_and_is_refused_elsewhere()
    {
        var options = Read("""{ "Manager": { "CircuitBreaker": null }, "Transports": { "a": { "Kind": "sse", "Endpoint": "https://example.com/", "IdleTimeout": null, "Headers": {} } } }""");
        options.Manager.CircuitBreaker.ShouldBeNull();
        options.Transports["a"].Options.IdleTimeout.ShouldBeNull();

        Should.Throw<OptionsValidationException>(() => Read(
            """{ "Manager": { "CloseTimeout": null }, "Transports": { "a": { "Kind": "sse", "Endpoint": "https://example.com/", "Reconnect": null, "Http": null, "Buffer": null } } }"""))
            .Failures.ShouldBe(
                [
                    "Manager:CloseTimeout must not be null or empty; remove the setting to use the default.",
                    "Transports:a:Reconnect must not be null or empty; remove the setting to use the default.",
                    "Transports:a:Http must not be null or empty; remove the setting to use the default.",
                    "Transports:a:Buffer must not be null or empty; remove the setting to use the default.",
                ],
                ignoreOrder: true);
    }

    [Fact]
    public void What_only_code_can_say_completes_what_was_read()
    {
        const string Json = """{ "Transports": { "prices": { "Kind": "sse", "Endpoint": "https://example.com/" } } }""";

        var completed = Read(Json, static services => services.CompleteTransport<SseTransportOptions>(
            "prices", static (options, _) => options with { ConfigureRequest = static (_, _) => ValueTask.CompletedTask }));

        ((SseTransportOptions)completed.Transports["prices"].Options).ConfigureRequest.ShouldNotBeNull();
        Should.Throw<OptionsValidationException>(
            () => Read(Json, static services => services.CompleteTransport<SseTransportOptions>("price", static (options, _) => options)))
            .Failures.ShouldBe(["Transports:price: CompleteTransport found no transport of this name with SseTransportOptions."]);
    }

    [Fact]
    public void Kinds_of_ones_own_are_known_by_their_names()
    {
        var options = Read(
            """{ "Manager": { "MaxTransports": 3 }, "Transports": { "mine": { "Kind": "tuned", "Endpoint": "https://example.com/", "Interval": "00:00:01" } } }""",
            configure: static options => options.Manager = options.Manager with
            {
                CloseTimeout = TimeSpan.FromSeconds(1),
                Kinds = options.Manager.Kinds.With<LongPollTransportOptions>(
                    "tuned", static (options, services) => new LongPollTransport(options, services)),
            });

        options.Transports["mine"].Options.ShouldBeOfType<LongPollTransportOptions>().Interval.ShouldBe(TimeSpan.FromSeconds(1));
        (options.Manager.MaxTransports, options.Manager.CloseTimeout).ShouldBe((3, TimeSpan.FromSeconds(1)));
    }

    private static PerennialOptions Read(string json, Action<IServiceCollection>? more = null, Action<PerennialOptions>? configure = null)
    {
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json))).Build();
        var services = new ServiceCollection().AddPerennial(configuration, configure);
        more?.Invoke(services);
        return services.BuildServiceProvider().GetRequiredService<IOptions<PerennialOptions>>().Value;
    }
}
