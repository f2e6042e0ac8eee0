using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>Silence is a lost connection; any byte breaks it.</summary>
public class IdleTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly ManualTimeProvider _clock = new();
    private Func<long> _heard = () => 0;

    [Fact]
    public async Task Resumes_on_another_connection_when_nothing_arrives_for_too_long()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Silence), Stream(Events(2)));
        await using var probe = For(server);
        (await probe.ReadTextsAsync(1)).ShouldBe(["1"]);

        await PassInSilenceAsync(probe, Limit);

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.IdleTimeout);
        await EndWaitAsync(probe);
        (await probe.ReadTextsAsync()).ShouldBe(["2"]);
        server.Requests[1].Header("Last-Event-ID").ShouldBe("1");
    }

    [Fact]
    public async Task Heartbeat_comments_keep_the_connection()
    {
        await using var server = ScriptedServer.Start(
            async exchange =>
            {
                await exchange.StartEventStreamAsync();
                var heard = 0L;
                for (var beat = 0; beat < 5; beat++)
                {
                    await exchange.WriteChunkAsync(":\n", exchange.Stopping);
                    heard = await HeardAfterAsync(heard);
                    _clock.Advance(Limit * 0.9);
                }

                await exchange.WriteChunkAsync(Events(1));
                await exchange.EndChunksAsync();
            });
        await using var probe = For(server);
        _heard = () => probe.Transport.GetMetrics().BytesReceived;

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        server.Requests.Count.ShouldBe(1);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task The_limit_is_three_heartbeats_where_the_server_announces_them()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1), Ending.Silence, ("Perennial-Heartbeat", "15")),
            Stream(Events(2)));
        await using var probe = new TransportProbe(
            new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.WithoutJitter },
            new TransportServices { Time = _clock });
        await probe.ReadTextsAsync(1);

        await PassInSilenceAsync(probe, TimeSpan.FromSeconds(45));

        await EndWaitAsync(probe);
        (await probe.ReadTextsAsync()).ShouldBe(["2"]);
    }

    [Fact]
    public async Task A_server_that_accepts_and_never_answers_is_a_connect_timeout()
    {
        await using var server = ScriptedServer.Start(NeverAnswer, Stream(Events(1)));
        await using var probe = For(server);
        var reading = probe.ReadTextsAsync();
        await server.WaitForRequestsAsync(1, probe.Token);

        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(30), probe.Token);
        _clock.Advance(TimeSpan.FromSeconds(30));

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.ConnectTimeout);
        await EndWaitAsync(probe);
        (await reading).ShouldBe(["1"]);
    }

    /// <summary>Completes when the transport has counted more bytes than before.</summary>
    private async Task<long> HeardAfterAsync(long before)
    {
        while (_heard() <= before)
        {
            await Task.Yield();
        }

        return _heard();
    }

    private TransportProbe For(ScriptedServer server) => new(
        new SseTransportOptions { Endpoint = server.Address, IdleTimeout = Limit, Reconnect = TransportProbe.WithoutJitter },
        new TransportServices { Time = _clock });

    /// <summary>Lets the limit pass; again if the transport was not reading at that moment, which makes it wait anew.</summary>
    private async Task PassInSilenceAsync(TransportProbe probe, TimeSpan limit)
    {
        var loss = probe.WaitForAsync<ErrorEvent>();
        while (!loss.IsCompleted)
        {
            var isWaiting = _clock.WaitForTimerAsync(limit, probe.Token);
            if (await Task.WhenAny(loss, isWaiting) == isWaiting)
            {
                _clock.Advance(limit);
            }
        }

        await loss;
    }

    private async Task EndWaitAsync(TransportProbe probe)
    {
        var delay = (await probe.WaitForAsync<ReconnectingEvent>()).Delay;
        await _clock.WaitForTimerAsync(delay, probe.Token);
        _clock.Advance(delay);
    }
}
