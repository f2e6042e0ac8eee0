using Perennial.AspNetCore.Tests.WebSockets;
using Perennial.Streams;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.ByteStreams;

/// <summary>Byte streams over TCP and Unix sockets that break: at random in a long exchange, and at every byte of a short one.</summary>
public sealed class ByteStreamCutTests(ITestOutputHelper output) : CutSuite(output)
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = 10 * RunServer.Hang)]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task A_short_exchange_over_TCP_may_be_cut_at_every_byte(CutMode how)
    {
        await using var server = await RunServer.StartAsync();
        await AtEveryByteAsync(async (cut, isUpstream) =>
        {
            var plan = FaultPlan.Cut(cut, how);
            await using var proxy = FaultProxy.Start(
                server.Address, FaultPlan.InOrder(isUpstream ? plan.OnUpstream() : plan, FaultPlan.None));
            await ExchangeAsync(server, path => new() { Endpoint = Streams.Tcp(proxy.Address, path) });
            return proxy.Cuts > 0;
        });
    }

    [Fact(Timeout = 10 * RunServer.Hang)]
    public async Task A_short_exchange_over_a_Unix_socket_may_be_cut_at_every_byte()
    {
        var file = Streams.NewSocketFile();
        await using var server = await Streams.StartOnUnixSocketAsync(file);
        await AtEveryByteAsync(async (cut, isUpstream) =>
        {
            CutStream? first = null;
            await ExchangeAsync(server, path => new()
            {
                Endpoint = new Uri($"unix:{file}:{path}"),
                Connect = async cancellationToken =>
                {
                    var stream = await Streams.ConnectAsync(file, cancellationToken);
                    return first is not null ? stream : first = new CutStream(stream, cut, isUpstream);
                },
            });
            return first!.IsCut;
        });
    }

    protected override Transport NewTransport(Uri endpoint, int queue) => new ByteStreamTransport(
        new ByteStreamTransportOptions
        {
            Endpoint = Streams.Tcp(endpoint, endpoint.AbsolutePath),
            Reconnect = AtOnce,
            Send = Patient(queue),
        });

    /// <summary>Cuts after 0, 1, 2 and more bytes, in both directions, until an exchange ends before its cut.</summary>
    private async Task AtEveryByteAsync(Func<long, bool, Task<bool>> exchange)
    {
        foreach (var isUpstream in new[] { false, true })
        {
            var cut = 0L;
            while (await exchange(cut, isUpstream))
            {
                cut++;
            }

            Output.WriteLine($"{cut} places {(isUpstream ? "upstream" : "downstream")}");
            cut.ShouldBeGreaterThan(100);
        }
    }

    /// <summary>Three messages go to the run, and it repeats them.</summary>
    private static async Task ExchangeAsync(RunServer server, Func<string, ByteStreamTransportOptions> options)
    {
        var sent = System.Threading.Channels.Channel.CreateUnbounded<string>();
        var run = await server.Runs.StartAsync(
            async (writer, stop) =>
            {
                for (var n = 0; n < 3; n++)
                {
                    await writer.WriteAsync(await sent.Reader.ReadAsync(stop), cancellationToken: stop);
                }
            },
            new RunOptions { OnMessage = (message, stop) => sent.Writer.WriteAsync(message.Text, stop).AsTask() });
        await using var transport = new ByteStreamTransport(
            options(RunServer.PathOf(run)) with { Reconnect = AtOnce, Send = Patient(10) });

        foreach (var text in new[] { "a", "b", "c" })
        {
            _ = transport.SendAsync(text, TestEnds);
        }

        (await Streams.ReadAsync(transport)).ShouldBe(["a", "b", "c"]);
        (await transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
        sent.Reader.TryPeek(out _).ShouldBeFalse();
    }
}
