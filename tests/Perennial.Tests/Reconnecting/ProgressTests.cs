using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Reconnecting;

/// <summary>What clears the count of attempts, and what does not.</summary>
public class ProgressTests
{
    [Theory]
    [InlineData("data: a\n\n")]
    [InlineData("id: 1\ndata: a\n\n")]
    public async Task A_stream_that_repeats_the_same_message_for_ever_is_given_up(string body)
    {
        await using var server = ScriptedServer.Start(Stream(body, Ending.Reset));
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce with { MaxAttempts = 3 },
        });

        var (texts, error) = await probe.ReadToFailureAsync();

        error.Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        texts.Count.ShouldBe(4);
        probe.Transport.GetMetrics().ConsecutiveErrors.ShouldBe(4);
    }

    [Fact]
    public async Task Each_new_numbered_message_clears_the_count()
    {
        await using var server = ScriptedServer.Start(
            [.. Enumerable.Range(1, 20).Select(static id => Stream(Events(id), Ending.Reset)), Status(204)]);
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1 },
        });

        (await probe.ReadTextsAsync()).Count.ShouldBe(20);
    }

    [Fact]
    public async Task A_numbered_message_is_progress_although_one_without_an_id_follows_it()
    {
        await using var server = ScriptedServer.Start(
            [.. Enumerable.Range(1, 20).Select(static id => Stream(Events(id) + "data: more\n\n", Ending.Reset)), Status(204)]);
        await using var probe = new TransportProbe(new SseTransportOptions
        {
            Endpoint = server.Address,
            Reconnect = TransportProbe.AtOnce with { MaxAttempts = 1 },
        });

        (await probe.ReadTextsAsync()).Count.ShouldBe(40);
    }

    [Fact]
    public async Task A_server_that_asks_for_no_delay_is_asked_again_after_a_floor()
    {
        var time = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(Stream("retry: 0\n" + Events(1), Ending.Reset), Stream(Events(2)));
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.WithoutJitter },
            new TransportServices { Time = time });
        var reading = probe.ReadTextsAsync();

        var wait = await probe.WaitForAsync<ReconnectingEvent>();
        await time.WaitForTimerAsync(TimeSpan.FromMilliseconds(250));
        time.Advance(TimeSpan.FromMilliseconds(250));

        wait.Delay.ShouldBe(TimeSpan.FromMilliseconds(250));
        (await reading).ShouldBe(["1", "2"]);
    }
}
