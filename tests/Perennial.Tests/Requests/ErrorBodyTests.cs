using System.IO.Compression;
using System.Net;
using System.Text;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.WebSockets;
using Perennial.Wire;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>A refusal explains itself: what the body of an error response says is in the error, and nowhere else.</summary>
public class ErrorBodyTests
{
    private const string BadKey = """{"error":{"message":"bad api key","code":"invalid_api_key"}}""";

    [Theory]
    [InlineData(BadKey, "bad api key", "invalid_api_key")]
    [InlineData("""{"error":{"message":"m","type":"invalid_request_error","param":null,"code":null}}""", "m", "invalid_request_error")]
    [InlineData("""{"error":{"message":"m","type":"t","param":"messages","code":"context_length_exceeded"}}""", "m", "context_length_exceeded")]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}""", "Overloaded", "overloaded_error")]
    [InlineData("""{"error":"model 'x' not found"}""", "model 'x' not found", null)]
    [InlineData("""{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}""", "Quota", "RESOURCE_EXHAUSTED")]
    [InlineData("""[{"error":{"code":400,"message":"m"}}]""", "m", "400")]
    [InlineData("""{"type":"https://example.com/probs/no-credit","title":"No credit.","status":403,"detail":"Balance is 30."}""", "Balance is 30.", "https://example.com/probs/no-credit")]
    [InlineData("""{"type":"about:blank","title":"Not Found","status":404}""", "Not Found", null)]
    [InlineData("""{"error":"invalid_token","error_description":"expired"}""", "expired", "invalid_token")]
    [InlineData("""{"timestamp":1,"status":401,"error":"Unauthorized","message":"no","path":"/x"}""", "no", "Unauthorized")]
    [InlineData("""{"detail":"Not authenticated"}""", "Not authenticated", null)]
    [InlineData("""{"errors":[{"message":"first","code":"a"},{"message":"second"}]}""", "first", "a")]
    [InlineData("""{"message":"m","code":17}""", "m", "17")]
    [InlineData("""{"error":null,"data":1}""", null, null)]
    [InlineData("""{"error":{"message":"cut off""", null, null)]
    [InlineData("""{"message":"\ud800"}""", null, null)]
    [InlineData("  plain words\r\n", "plain words", null)]
    [InlineData("<!DOCTYPE html>\n<html><head><TITLE lang=en>502 Bad\n  Gateway &amp; more</TITLE></head><body>x</body></html>", "502 Bad Gateway & more", null)]
    [InlineData("<html><body>x</body></html>", null, null)]
    [InlineData("\u0000\u0001binary", null, null)]
    [InlineData("", null, null)]
    public void What_a_body_says(string body, string? message, string? code) =>
        ErrorBody.Read(Encoding.UTF8.GetBytes(body), "text/plain").ShouldBe(new ServerError(message, code));

    [Fact]
    public void Bytes_that_are_no_text_say_nothing() => ErrorBody.Read(new byte[] { 0xFF, 0xFE, 0x41 }, "text/plain").ShouldBe(default);

    [Fact]
    public async Task The_error_of_a_refused_opening_says_it_and_its_message_and_the_logs_do_not()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(401, BadKey, ("Content-Type", "application/json")));
        var log = new LogSink();
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address }, new TransportServices { LoggerFactory = log });

        var (_, error) = await probe.ReadToFailureAsync();

        (error.ServerMessage, error.ServerCode, (int?)error.HttpStatus).ShouldBe(("bad api key", "invalid_api_key", 401));
        error.ToString().ShouldNotContain("api key");
        log.Lines.ShouldAllBe(
            line => !$"{line.Text} {line.Exception}".Contains("api key") && !$"{line.Text} {line.Exception}".Contains("invalid_api_key"));
    }

    [Fact]
    public async Task The_last_refusal_is_kept_when_the_attempts_are_spent()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(503, "come back later"));
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1 } });

        var (_, error) = await probe.ReadToFailureAsync();

        (error.Code, error.ServerMessage).ShouldBe((TransportErrorCode.AttemptsExhausted, "come back later"));
    }

    [Fact]
    public async Task So_does_the_error_of_a_refused_message_and_of_a_refused_stop()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.Request.Method is "GET"
            ? Stream("data: a\n\n", Ending.Silence, BodyScripts.SpeaksPerennial)(exchange)
            : exchange.RespondAsync(422, BadKey));
        await using var probe = TransportProbe.For(server.Address);
        await probe.Transport.ConnectAsync(probe.Token);

        var sent = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("x", probe.Token));
        var stopped = await Should.ThrowAsync<TransportException>(probe.Transport.StopAsync(probe.Token));

        (sent.Code, sent.ServerMessage, sent.ServerCode, sent.Delivery)
            .ShouldBe((TransportErrorCode.SendRejected, "bad api key", "invalid_api_key", DeliveryStatus.NotSent));
        (stopped.ServerMessage, stopped.ServerCode).ShouldBe(("bad api key", "invalid_api_key"));
    }

    [Fact]
    public async Task So_does_the_error_of_a_refused_WebSocket()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(403, "no entry"));
        await using var probe = new TransportProbe(new WebSocketTransport(new WebSocketTransportOptions { Endpoint = server.Address }));

        (await probe.ReadToFailureAsync()).Error.ServerMessage.ShouldBe("no entry");
    }

    [Theory]
    [InlineData("gzip", DecompressionMethods.None)]
    [InlineData("br", DecompressionMethods.None)]
    [InlineData("deflate", DecompressionMethods.GZip)]
    [InlineData("gzip", DecompressionMethods.GZip)]
    public async Task A_compressed_body_is_read(string coding, DecompressionMethods offered)
    {
        await using var server =
            ScriptedServer.Start(exchange => exchange.RespondAsync(400, Compress(BadKey, coding), ("Content-Encoding", coding)));
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address, Http = new() { Decompression = offered } });

        (await probe.ReadToFailureAsync()).Error.ServerCode.ShouldBe("invalid_api_key");
    }

    [Fact]
    public async Task Of_an_endless_body_64_KiB_are_read()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(400, ("Content-Type", "text/plain"));
            var block = string.Concat(Enumerable.Repeat("é", 4096));
            while (true)
            {
                await exchange.WriteAsync(block, exchange.Stopping);
            }
        });
        await using var probe = TransportProbe.For(server.Address);

        var text = (await probe.ReadToFailureAsync()).Error.ServerMessage.ShouldNotBeNull();

        text.Length.ShouldBeInRange(32 * 1024 - 2, 32 * 1024);
        text.Distinct().ShouldBe(['é']);
    }

    [Fact]
    public async Task A_body_that_does_not_end_is_waited_for_2_seconds()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(400, ("Content-Type", "text/plain"));
            await exchange.WriteAsync("so far", exchange.Stopping);
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });
        await using var probe =
            new TransportProbe(new SseTransportOptions { Endpoint = server.Address }, new TransportServices { Time = clock });
        var reading = probe.ReadToFailureAsync();

        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(2), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(2));

        ((int?)(await reading).Error.HttpStatus).ShouldBe(400);
    }

    private static byte[] Compress(string text, string coding)
    {
        using var result = new MemoryStream();
        using (Stream stream = coding switch
        {
            "gzip" => new GZipStream(result, CompressionMode.Compress),
            "br" => new BrotliStream(result, CompressionMode.Compress),
            _ => new ZLibStream(result, CompressionMode.Compress),
        })
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        return result.ToArray();
    }
}
