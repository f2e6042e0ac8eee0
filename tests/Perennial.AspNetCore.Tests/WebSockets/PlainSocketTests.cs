using System.Net.WebSockets;
using System.Text;

namespace Perennial.AspNetCore.Tests.WebSockets;

/// <summary>Clients that know nothing of perennial.v1.</summary>
public class PlainSocketTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Reads_the_data_of_each_event_and_nothing_else()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("Hello", "token", stop);
            await writer.WriteBinaryAsync("bytes"u8.ToArray(), cancellationToken: stop);
        });
        await run.Completion;

        await using var client = await SocketClient.OpenAsync(server, run, $"{run.Epoch}-1", protocols: []);

        client.SubProtocol.ShouldBeNull();
        client.Header("Perennial-Protocol").ShouldBeNull("it would say that this page holds");
        (await client.ReceiveMessageAsync()).ShouldBe(("Hello", false));
        (await client.ReceiveMessageAsync()).ShouldBe(("bytes", true));
        (await client.ReceiveMessageAsync()).ShouldBeNull();
        client.CloseCode.ShouldBe(1000);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_failure_is_no_end()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync((_, _) => throw new InvalidDataException());

        await using var client = await SocketClient.OpenAsync(server, run, protocols: []);

        (await client.ReadToEndAsync()).ShouldBeEmpty();
        client.CloseCode.ShouldBe(1011);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task What_it_sends_reaches_the_producer()
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.OpenAsync(server, open.Run, protocols: []);

        await client.SendAsync("""{"type":"perennial.stop"}""");
        await client.SendAsync("");
        await client.SendAsync([0, 255], WebSocketMessageType.Binary);
        await client.CloseAsync();

        client.CloseCode.ShouldBe(1000);
        (await open.MessagesAsync(3)).Select(static m => (Convert.ToHexString(m.Data.Span), m.IsBinary)).ShouldBe([
            (Convert.ToHexString(Encoding.UTF8.GetBytes("""{"type":"perennial.stop"}""")), false), ("", false), ("00FF", true),
        ]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Too_large_a_message_closes_with_1009()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxMessageBytes = 1024);
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.OpenAsync(server, open.Run, protocols: []);

        await client.SendAsync(new byte[1025], WebSocketMessageType.Binary);

        (await client.ReadToCloseAsync()).ShouldBe(1009);
        (await open.Run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
    }
}
