using System.Net.WebSockets;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>connect</c> without <c>--transport</c>: by the first protocol that gets through.</summary>
public class ConnectAutoTests
{
    [Fact(Timeout = Cli.Hang)]
    public async Task Reads_what_the_server_speaks_and_says_why_on_request()
    {
        await using var server = ScriptedServer.Start(Script.Status(426), Script.Stream("data: a\n\n"));

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--verbose");

        run.Output.ShouldBe("a\n");
        run.ExitCode.ShouldBe(0, run.Error);
        run.Error.ShouldContain("WebSocket passed over: Refused (HttpStatus, HTTP status 426)");
        run.Error.ShouldContain("connected by Sse");
        server.Requests.Count.ShouldBe(2);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Reads_a_plain_WebSocket_where_the_URL_says_so()
    {
        await using var server = await WebSocketServer.StartAsync(static async (_, socket) =>
        {
            await socket.SendAsync(
                "hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        });

        var run = await Cli.RunAsync(
            "connect",
            server.Url.Replace("http:", "ws:", StringComparison.Ordinal),
            "--transport",
            "auto",
            "--subprotocol",
            "chat",
            "--heartbeat",
            "1000");

        run.Output.ShouldBe("hello\n");
        run.ExitCode.ShouldBe(0, run.Error);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Posts_once_and_reads_the_form_of_the_answer()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync("{\"n\":1}\n");
            await exchange.EndChunksAsync();
        });

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--data", "{}");

        run.Output.ShouldBe("{\"n\":1}\n");
        run.ExitCode.ShouldBe(0, run.Error);
        server.Requests.ShouldHaveSingleItem().Method.ShouldBe("POST");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Names_every_protocol_when_none_gets_through()
    {
        await using var server = ScriptedServer.Start(Script.Status(403), Script.Status(406), Script.Status(400));

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri);

        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain(
            "WebSocket: The server answered 403 (Forbidden). Sse and HttpStream: The server answered 406 (NotAcceptable). LongPoll: The server answered 400");
    }
}
