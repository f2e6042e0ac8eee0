using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Diagnostics;

/// <summary>Errors are counted and kept whether or not an event has a handler.</summary>
public class ErrorStateTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_error_is_counted_with_and_without_a_handler(bool hasHandler)
    {
        await using var server = ScriptedServer.Start(
            static exchange => exchange.RespondAsync(503),
            static async exchange =>
            {
                await exchange.StartChunkedAsync("application/x-ndjson");
                await exchange.WriteChunkAsync("{\"a\":1}\nnot JSON\n{\"type\":\"error\",\"message\":\"busy\"}\n{\"type\":\"done\"}\n");
                await exchange.EndChunksAsync();
            });
        var logs = new LogSink();
        await using var transport = new HttpStreamTransport(
            new HttpStreamTransportOptions { Endpoint = server.Address, Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero } },
            new TransportServices { LoggerFactory = logs });
        if (hasHandler)
        {
            transport.ErrorOccurred += static (_, _) => { };
        }

        await transport.ReadAllAsync().TextsAsync().Soon();

        var metrics = transport.GetMetrics();
        metrics.Errors.ShouldBe(3);
        metrics.LastError.ShouldNotBeNull().ServerMessage.ShouldBe("busy");
        logs.At(Microsoft.Extensions.Logging.LogLevel.Warning).Count().ShouldBe(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Errors_of_an_event_stream_are_counted_with_and_without_a_handler(bool hasHandler)
    {
        await using var server = ScriptedServer.Start(
            static exchange => exchange.RespondAsync(503),
            static async exchange =>
            {
                await exchange.StartEventStreamAsync();
                await exchange.WriteChunkAsync("data: {\"type\":\"error\",\"message\":\"busy\"}\n\ndata: 1\n\ndata: [DONE]\n\n");
                await exchange.EndChunksAsync();
            });
        await using var transport = new SseTransport(
            new SseTransportOptions { Endpoint = server.Address, Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero } });
        if (hasHandler)
        {
            transport.ErrorOccurred += static (_, _) => { };
        }

        await transport.ReadAllAsync().TextsAsync().Soon();

        var metrics = transport.GetMetrics();
        metrics.Errors.ShouldBe(2);
        metrics.LastError.ShouldNotBeNull().ServerMessage.ShouldBe("busy");
    }

    [Fact]
    public async Task The_meter_counts_errors_without_a_handler()
    {
        using var telemetry = new Telemetry();
        await using var transport = new InMemoryTransport(kind: "memory-errors");
        await transport.ConnectAsync().Soon();
        transport.Connection.Signal = StreamSignal.Malformed;
        transport.Connection.Say("1").Finish();

        await transport.ReadAllAsync().TextsAsync().Soon();

        telemetry.Collect()
            .Single(static each => each.Name is "perennial.client.errors" && each.Tags.Contains("perennial.transport=memory-errors"))
            .Sum.ShouldBe(1);
    }

    [Fact]
    public async Task The_meter_counts_dropped_messages_while_a_handler_does_not_return()
    {
        using var telemetry = new Telemetry();
        using var mayReturn = new ManualResetEventSlim();
        await using var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Buffer = new BufferOptions { Capacity = 1, FullMode = BufferFullMode.DropNewest } },
            kind: "memory-drops");
        transport.Connected += (_, _) => mayReturn.Wait(TestContext.Current.CancellationToken);
        await transport.ConnectAsync().Soon();
        transport.Connection.Say("1", "2", "3");
        await Patience.Until(() => transport.GetMetrics().Dropped == 2, "two messages dropped");

        telemetry.Collect()
            .Single(static each => each.Name is "perennial.client.dropped" && each.Tags.Contains("perennial.transport=memory-drops"))
            .Sum.ShouldBe(2);
        mayReturn.Set();
    }
}
