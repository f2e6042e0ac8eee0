using System.Globalization;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Reconnecting;

/// <summary>How long a transport really waits before it asks again.</summary>
public class BackoffTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task The_waits_double_and_the_next_request_comes_when_one_is_over()
    {
        await using var server = ScriptedServer.Start(Status(503));
        await using var probe = For(server);
        var connecting = probe.Transport.ConnectAsync(probe.Token);

        foreach (var (seconds, attempt) in new[] { (1, 1), (2, 2), (4, 3), (8, 4), (16, 5) })
        {
            (await probe.WaitForAsync<ReconnectingEvent>(attempt)).ShouldBe(new ReconnectingEvent
            {
                Attempt = attempt,
                Delay = TimeSpan.FromSeconds(seconds),
                MaxAttempts = 5,
            });
            await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(seconds), probe.Token);
            server.Requests.Count.ShouldBe(attempt);
            _clock.Advance(TimeSpan.FromSeconds(seconds));
        }

        (await Should.ThrowAsync<TransportException>(connecting)).Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        server.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task Jitter_comes_from_the_given_source_of_chance()
    {
        await using var server = ScriptedServer.Start(Status(503));
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = server.Address }, new TransportServices { Time = _clock, Random = new Random(7) });
        var expected = new Random(7).NextInt64(TimeSpan.TicksPerSecond / 2, TimeSpan.TicksPerSecond + 1);
        _ = probe.Transport.ConnectAsync(probe.Token).ContinueWith(_ => { }, TaskScheduler.Default);

        (await probe.WaitForAsync<ReconnectingEvent>()).Delay.ShouldBe(TimeSpan.FromTicks(expected));
    }

    [Theory]
    [InlineData("retry: 2500\n\n", 2.5)]
    [InlineData("retry: 86400000\n\n", 30)]
    [InlineData("retry: 99999999999999999999\n\n", 30)]
    [InlineData("retry: 2.5\n\n", 1)]
    [InlineData("retry: 0\n\n", 0.25)]
    public async Task The_server_sets_the_first_wait_by_retry_up_to_the_cap(string body, double seconds)
    {
        await using var server = ScriptedServer.Start(Stream(body, Ending.Reset));
        await using var probe = For(server);

        await probe.Transport.ConnectAsync(probe.Token);

        (await probe.WaitForAsync<ReconnectingEvent>()).Delay.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("17", 17)]
    [InlineData("0", 1)]
    [InlineData("45", 45)]
    [InlineData("Sat, 01 Jan 2000 00:10:00 GMT", 600)]
    [InlineData("Fri, 31 Dec 1999 00:00:00 GMT", 1)]
    [InlineData("soon", 1)]
    [InlineData("", 1)]
    [InlineData(" ", 1)]
    [InlineData("-5", 1)]
    [InlineData("+5", 1)]
    [InlineData("1.5", 1)]
    [InlineData("5s", 1)]
    [InlineData("1e3", 1)]
    [InlineData("5, 10", 1)]
    public async Task Retry_after_is_waited_for_in_full(string value, int seconds)
    {
        await using var server = ScriptedServer.Start(Status(503, ("Retry-After", value)), Stream(Events(1)));
        await using var probe = For(server);
        var reading = probe.ReadTextsAsync();

        var delay = (await probe.WaitForAsync<ReconnectingEvent>()).Delay;
        await _clock.WaitForTimerAsync(delay, probe.Token);
        _clock.Advance(delay - TimeSpan.FromTicks(1));
        server.Requests.Count.ShouldBe(1);
        _clock.Advance(TimeSpan.FromTicks(1));

        delay.ShouldBe(TimeSpan.FromSeconds(seconds));
        (await reading).ShouldBe(["1"]);
    }

    [Theory]
    [InlineData("2500", null, 2500)]
    [InlineData("2500", "17", 2500)]
    [InlineData("2500.5", null, 2501)]
    [InlineData("soon", "17", 17_000)]
    [InlineData("", null, 1000)]
    [InlineData("-1", null, 1000)]
    public async Task Retry_after_in_milliseconds_is_waited_for(string milliseconds, string? seconds, double expected)
    {
        await using var server = ScriptedServer.Start(
            Status(503, [("retry-after-ms", milliseconds), .. seconds is null ? [] : new[] { ("Retry-After", seconds) }]),
            Stream(Events(1)));
        await using var probe = For(server);
        var reading = probe.ReadTextsAsync();

        var delay = (await probe.WaitForAsync<ReconnectingEvent>()).Delay;
        await _clock.WaitForTimerAsync(delay, probe.Token);
        _clock.Advance(delay);

        delay.ShouldBe(TimeSpan.FromMilliseconds(expected));
        (await reading).ShouldBe(["1"]);
    }

    [Theory]
    [InlineData("3601")]
    [InlineData("99999999999999999999")]
    [InlineData("Sat, 01 Jan 2000 01:00:01 GMT")]
    public async Task A_retry_after_that_is_too_long_ends_the_stream(string value)
    {
        await using var server = ScriptedServer.Start(Status(429, ("Retry-After", value)));
        await using var probe = For(server);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.ConnectAsync(probe.Token));

        (error.Code, (int?)error.HttpStatus).ShouldBe((TransportErrorCode.RetryAfterTooLong, 429));
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_accepts_and_closes_at_once_for_ever_exhausts_the_attempts()
    {
        await using var server = ScriptedServer.Start(Stream("retry: 0\n\n: hello\n\n", Ending.Closed));
        await using var probe = TransportProbe.For(server.Address);

        var (_, error) = await probe.ReadToFailureAsync();

        error.Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Failed);
        server.Requests.Count.ShouldBe(6);
        probe.All<ReconnectingEvent>().Select(reconnecting => reconnecting.Attempt).ShouldBe([1, 2, 3, 4, 5]);
    }

    [Fact]
    public async Task A_server_that_brings_a_new_message_each_time_does_not()
    {
        await using var server = ScriptedServer.Start(exchange =>
        {
            var next = int.Parse(exchange.Request.Header("Last-Event-ID") ?? "0", CultureInfo.InvariantCulture) + 1;
            return next <= 20 ? Stream(Events(next), Ending.Reset)(exchange) : exchange.RespondAsync(204);
        });
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).Count.ShouldBe(20);

        probe.All<ReconnectingEvent>().ShouldAllBe(reconnecting => reconnecting.Attempt == 1);
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(9, 2)]
    public async Task A_connection_that_stood_long_enough_clears_the_count(int seconds, int nextAttempt)
    {
        using var cut = new SemaphoreSlim(0);
        await using var server = ScriptedServer.Start(
            Status(503),
            async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await cut.WaitAsync(exchange.Stopping);
                exchange.Reset();
            },
            NeverAnswer);
        await using var probe = For(server);
        var connecting = probe.Transport.ConnectAsync(probe.Token);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await connecting;

        await _clock.WaitForTimerAsync(TimeSpan.FromMinutes(5), probe.Token);      // the idle time: it reads
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        cut.Release();

        (await probe.WaitForAsync<ReconnectingEvent>(2)).Attempt.ShouldBe(nextAttempt);
    }

    private TransportProbe For(ScriptedServer server) => new(
        new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.WithoutJitter },
        new TransportServices { Time = _clock });
}
