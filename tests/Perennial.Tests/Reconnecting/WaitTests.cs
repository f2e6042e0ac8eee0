using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Reconnecting;

/// <summary>A wait between two attempts ends the moment the caller leaves. The clock stands still: nothing here ends by time.</summary>
public class WaitTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task Close_ends_it()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Reset));
        await using var probe = await WaitingAsync(server);

        await probe.Transport.CloseAsync(probe.Token);

        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Closed });
        (await probe.ReadTextsAsync()).ShouldBe(["1"]);
        await NoTimerIsLeftAsync(probe);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Dispose_ends_it()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Reset));
        await using var probe = await WaitingAsync(server);

        await probe.Transport.DisposeAsync();

        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Closed);
        await NoTimerIsLeftAsync(probe);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Cancelling_the_connect_ends_it()
    {
        await using var server = ScriptedServer.Start(Status(503));
        await using var probe = For(server);
        using var cancel = new CancellationTokenSource();
        var connecting = probe.Transport.ConnectAsync(cancel.Token);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(connecting);
        probe.Transport.State.ShouldBe(TransportState.Closed);
        await NoTimerIsLeftAsync(probe);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Cancelling_the_reading_ends_the_reading_and_nothing_else()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1), Ending.Reset), Stream(Events(2)));
        await using var probe = await WaitingAsync(server);
        using var cancel = new CancellationTokenSource();
        var reading = Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in probe.Transport.ReadAllAsync(cancel.Token))
            {
            }
        });

        await cancel.CancelAsync();
        await reading;

        probe.Transport.State.ShouldBe(TransportState.Reconnecting);
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await probe.ReadTextsAsync())[^1].ShouldBe("2");
    }

    /// <summary>The platform stops a timer just after it ended the wait that the timer limited.</summary>
    private async Task NoTimerIsLeftAsync(TransportProbe probe)
    {
        while (_clock.ActiveTimers > 0)
        {
            probe.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private async Task<TransportProbe> WaitingAsync(ScriptedServer server)
    {
        var probe = For(server);
        await probe.Transport.ConnectAsync(probe.Token);
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        return probe;
    }

    private TransportProbe For(ScriptedServer server) => new(
        new SseTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.WithoutJitter },
        new TransportServices { Time = _clock });
}
