using System.Globalization;
using System.Text;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Backpressure;

/// <summary>A reader that is slow, or pauses, is felt at the other end of the socket.</summary>
public class BackpressureOnTheWireTests
{
    private static readonly BufferOptions Small = new() { Capacity = 10 };

    [Fact]
    public async Task A_reader_that_does_not_read_stops_the_server_and_loses_nothing()
    {
        const int Events = 30_000;
        var exchange = new TaskCompletionSource<ScriptedExchange>();
        await using var server = ScriptedServer.Start(FloodAsync(Events, exchange));
        await using var transport = server.Transport(static options => options with { Buffer = Small });
        await transport.ConnectAsync().Soon();
        var wire = await exchange.Task.Soon();

        var sent = await Patience.UntilStill(() => wire.BytesWritten);

        sent.ShouldBeLessThan(Events * 1000L);
        transport.GetMetrics().BufferSize.ShouldBe(10);
        (await transport.ReadAllAsync().TextsAsync().Soon()).Select(Number).ShouldBe(Enumerable.Range(1, Events));
        transport.GetMetrics().Dropped.ShouldBe(0);
    }

    [Fact]
    public async Task A_pause_stops_the_server_and_resuming_loses_nothing()
    {
        const int Events = 30_000;
        var exchange = new TaskCompletionSource<ScriptedExchange>();
        await using var server = ScriptedServer.Start(FloodAsync(Events, exchange));
        await using var transport =
            server.Transport(static options => options with { Buffer = new BufferOptions { FullMode = BufferFullMode.Unlimited } });
        await transport.ConnectAsync().Soon();
        var wire = await exchange.Task.Soon();
        transport.Pause();

        var sent = await Patience.UntilStill(() => wire.BytesWritten);
        sent.ShouldBeLessThan(Events * 1000L);
        var reading = transport.ReadAllAsync().TextsAsync();
        reading.IsCompleted.ShouldBeFalse();
        transport.Resume();

        (await reading.Soon()).Select(Number).ShouldBe(Enumerable.Range(1, Events));
    }

    [Theory]
    [InlineData(BufferFullMode.DropOldest)]
    [InlineData(BufferFullMode.DropNewest)]
    public async Task A_pause_drops_nothing_in_modes_that_drop(BufferFullMode mode)
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 10));
        await using var transport = server.Transport(options => options with { Buffer = Small with { FullMode = mode } });
        transport.Pause();
        await transport.ConnectAsync().Soon();
        await server.WaitForRequestsAsync(1).Soon();

        var reading = transport.ReadAllAsync().TextsAsync();
        transport.Resume();

        (await reading.Soon()).ShouldBe(EventStreams.Numbers(1, 10));
        transport.GetMetrics().Dropped.ShouldBe(0);
    }

    [Theory]
    [InlineData(BufferFullMode.DropOldest, 91, 100)]
    [InlineData(BufferFullMode.DropNewest, 1, 10)]
    public async Task Modes_that_drop_keep_the_right_messages_and_account_for_the_others(BufferFullMode mode, int first, int last)
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 100));
        await using var transport = server.Transport(options => options with { Buffer = Small with { FullMode = mode } });
        var announced = new List<DroppedEvent>();
        transport.MessagesDropped += (_, e) => announced.Add(e);
        await transport.ConnectAsync().Soon();
        await transport.Completion.Soon();

        (await transport.ReadAllAsync().TextsAsync().Soon()).ShouldBe(EventStreams.Numbers(first, last));

        await transport.DisposeAsync().Soon();
        announced.Sum(static e => e.Count).ShouldBe(90);
        announced[^1].Total.ShouldBe(90);
        transport.GetMetrics().Dropped.ShouldBe(90);
        transport.LastEventId.ShouldBe("100");
    }

    [Fact]
    public async Task A_pause_lets_at_most_the_message_on_its_way_through_to_the_sequence()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 1000));
        await using var transport = server.Transport();
        var read = 0;
        var reading = Task.Run(async () =>
        {
            await foreach (var message in transport.ReadAllAsync())
            {
                if (Interlocked.Increment(ref read) == 5)
                {
                    transport.Pause();
                }
            }
        });

        await Patience.Until(() => Volatile.Read(ref read) == 5, "the reader pauses");
        (await Patience.UntilStill(() => Volatile.Read(ref read))).ShouldBe(5);
        transport.Resume();

        await reading.Soon();
        read.ShouldBe(1000);
    }

    [Fact]
    public async Task A_pause_lets_at_most_the_message_on_its_way_through_to_handlers()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAsync(1, 1000));
        await using var transport = server.Transport();
        var read = 0;
        transport.MessageReceived += (_, _) =>
        {
            if (Interlocked.Increment(ref read) == 5)
            {
                transport.Pause();
            }
        };
        await transport.ConnectAsync().Soon();

        await Patience.Until(() => Volatile.Read(ref read) == 5, "the handler pauses");
        (await Patience.UntilStill(() => Volatile.Read(ref read))).ShouldBe(5);
        transport.Resume();

        await transport.Completion.Soon();
        await Patience.Until(() => Volatile.Read(ref read) == 1000, "all messages are delivered");
    }

    [Fact]
    public async Task Closing_ends_a_pause_and_what_had_arrived_can_be_read()
    {
        await using var server = ScriptedServer.Start(static exchange => exchange.StreamAndWaitAsync(1, 3));
        await using var transport = server.Transport();
        await transport.ConnectAsync().Soon();
        await Patience.Until(() => transport.GetMetrics().BufferSize == 3, "three messages wait");
        transport.Pause();
        var reading = transport.ReadAllAsync().TextsAsync();

        await transport.CloseAsync().Soon();

        (await reading.Soon()).ShouldBe(["1", "2", "3"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Silence_of_our_own_making_is_not_idle_time(bool pauses)
    {
        var time = new ManualTimeProvider();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Buffer = new BufferOptions { Capacity = 1 }, IdleTimeout = TimeSpan.FromSeconds(10) },
            new TransportServices { Time = time });
        await transport.ConnectAsync().Soon();
        var connection = transport.Connection;
        await Patience.Until(() => connection.Reads == 1, "a read waits");
        if (pauses)
        {
            transport.Pause();
        }

        connection.Say("1", "2");
        await Patience.Until(() => transport.GetMetrics().BytesReceived == 2, "the bytes are here");
        if (!pauses)
        {
            await Patience.Until(() => transport.GetMetrics().BufferSize == 1, "the buffer is full");
        }

        for (var i = 0; i < 10; i++)
        {
            time.Advance(TimeSpan.FromSeconds(9));
        }

        transport.IsConnected.ShouldBeTrue();
        transport.Resume();
        (await transport.ReadAllAsync().TextsAsync(2).Soon()).ShouldBe(["1", "2"]);
        await Patience.Until(() => connection.Reads == 2, "it reads on");
        transport.GetMetrics().Errors.ShouldBe(0);

        // And now the silence is the server's.
        await Patience.Until(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(10));
                return transport.GetMetrics().LastError?.Code == TransportErrorCode.IdleTimeout;
            },
            "the idle timeout");
    }

    private static int Number(string text) => int.Parse(text.AsSpan(0, 6), CultureInfo.InvariantCulture);

    /// <summary>Events of 1000 bytes each, as fast as the client takes them.</summary>
    private static Func<ScriptedExchange, Task> FloodAsync(int events, TaskCompletionSource<ScriptedExchange> begun) => async exchange =>
    {
        await exchange.StartEventStreamAsync();
        begun.SetResult(exchange);
        var padding = new string('x', 986);
        var chunk = new StringBuilder();
        for (var i = 1; i <= events; i++)
        {
            chunk.Append(CultureInfo.InvariantCulture, $"data: {i:D6}{padding}\n\n");
            if (i % 50 == 0)
            {
                await exchange.WriteChunkAsync(chunk.ToString());
                chunk.Clear();
            }
        }

        await exchange.EndChunksAsync();
    };
}
