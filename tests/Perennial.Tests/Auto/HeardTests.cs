using Perennial.Auto;
using Perennial.Engine;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.WebSockets.PerennialV1;

namespace Perennial.Tests.Auto;

/// <summary>What speaks for and against a protocol once a connection stands.</summary>
public class HeardTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false, FallbackReason.Silent)]
    [InlineData(true, null)]
    public async Task A_silence_without_a_sign_of_life_speaks_against_the_protocol(bool lives, FallbackReason? failure)
    {
        var time = new ManualTimeProvider();
        await using var inner = new SilentConnection();
        await using var connection = new AutoConnection(AutoProtocol.WebSocket, inner, static _ => { });
        using var leaving = new CancellationTokenSource();
        await using var idle = new IdleWatch(Silence, leaving, time);
        connection.Begin(idle, mayChangeLimit: false, new NoSends());
        idle.ReadStarted(time.GetTimestamp());
        var reading = connection.ReadAsync(new MessageBatch(), leaving.Token);
        if (lives)
        {
            inner.Beat();
        }

        time.Advance(Silence);
        if (lives)
        {
            await leaving.CancelAsync();
        }

        await Should.ThrowAsync<OperationCanceledException>(reading.AsTask());
        connection.TakeFailure()?.Reason.ShouldBe(failure!.Value);
        connection.HasBytes.ShouldBe(lives);
        connection.TakeFailure().ShouldBeNull();
    }

    [Fact]
    public async Task The_servers_hello_is_enough_to_be_heard()
    {
        await using var server = ScriptedServer.Start(PerennialSocket.SaysAndWaits());
        await using var transport = new AutoTransport(
            new AutoTransportOptions { Endpoint = server.Address, ProtocolMemory = new ProtocolMemory() },
            new TransportServices { Time = new ManualTimeProvider() });

        await transport.ConnectAsync().Soon();

        transport.Protocol.ShouldBe(AutoProtocol.WebSocket);
        transport.FailedProtocols.ShouldBeEmpty();
    }

    [Fact]
    public async Task Leaving_early_says_nothing()
    {
        var time = new ManualTimeProvider();
        await using var connection = new AutoConnection(AutoProtocol.WebSocket, new SilentConnection(), static _ => { });
        using var leaving = new CancellationTokenSource();
        await using var idle = new IdleWatch(Silence, leaving, time);
        connection.Begin(idle, mayChangeLimit: false, new NoSends());
        idle.ReadStarted(time.GetTimestamp());
        var reading = connection.ReadAsync(new MessageBatch(), leaving.Token);

        time.Advance(Silence - TimeSpan.FromTicks(1));
        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(reading.AsTask());
        connection.TakeFailure().ShouldBeNull();
    }

    /// <summary>Says nothing, and may give signs of life.</summary>
    private sealed class SilentConnection : TransportConnection
    {
        public override TimeSpan? LongestSilence => Silence;

        public void Beat() => ReportActivity();

        public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return ReadOutcome.EndOfStream;
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class NoSends : ISendQueue
    {
        public void Wake()
        {
        }

        public void End(TransportSession session)
        {
        }

        public bool Acknowledge(int connection, long received) => false;

        public void Refuse(int connection, long number, TransportException error)
        {
        }
    }
}
