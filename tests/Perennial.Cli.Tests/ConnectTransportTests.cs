using System.Net.WebSockets;
using System.Text;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>connect</c> over every protocol there is.</summary>
public class ConnectTransportTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = Cli.Hang)]
    public async Task Reads_JSON_lines_and_tells_a_bad_one()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync("{\"n\":1}\noops\n{\"done\":true}\n");
            await exchange.EndChunksAsync();
        });

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--transport", "http-stream", "--data", "{}", "--json");

        run.Lines.ShouldBe(
        [
            """{"event":"connecting"}""",
            """{"event":"connected"}""",
            """{"event":"message","id":null,"type":"message","data":"{\"n\":1}"}""",
            """{"event":"error","message":"A message of 4 bytes is not JSON; it was skipped.","code":"invalidMessage","recoverable":true}""",
            """{"event":"message","id":null,"type":"message","data":"{\"done\":true}"}""",
            """{"event":"done","reason":"completed"}""",
            """{"event":"closed"}""",
        ]);
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain("the output is incomplete");
        server.Requests.Single().Method.ShouldBe("POST");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Refuses_a_page_where_JSON_lines_should_be()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200, "<html>", ("Content-Type", "text/html")));

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--transport", "http-stream");

        run.Error.ShouldContain("text/html");
        run.ExitCode.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Polls_until_the_last_message()
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.RespondAsync(200, "[{\"n\":1},{\"n\":2}]", ("Content-Type", "application/json")),
            Script.Status(204),
            exchange => exchange.RespondAsync(200, "{\"type\":\"done\"}", ("Content-Type", "application/json")));

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--transport", "long-poll");

        run.Output.ShouldBe("{\"n\":1}\n{\"n\":2}\n");
        run.ExitCode.ShouldBe(0);
        server.Requests.Count.ShouldBe(3);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Reads_and_sends_over_a_WebSocket()
    {
        var header = "";
        await using var server = await WebSocketServer.StartAsync(async (request, socket) =>
        {
            header = request.Headers["X-Test"].ToString();
            await SendAsync(socket, WebSocketMessageType.Text, Encoding.UTF8.GetBytes(socket.SubProtocol!));
            await SendAsync(socket, WebSocketMessageType.Text, await ReceiveAsync(socket));
            await SendAsync(socket, WebSocketMessageType.Binary, [0, 1, 255]);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestEnds);
        });

        var run = await Cli.RunAsync(
            "connect", server.Url, "--transport", "websocket", "--json", "--subprotocol", "chat.v2", "--subprotocol", "chat.v1",
            "--heartbeat", "1000", "--header", "X-Test: yes", "--send", "hello");

        run.Lines.ShouldBe(
        [
            """{"event":"connecting"}""",
            """{"event":"connected"}""",
            """{"event":"message","id":null,"type":"message","data":"chat.v1"}""",
            """{"event":"message","id":null,"type":"message","data":"hello"}""",
            """{"event":"message","id":null,"type":"message","binary":true,"data":"AAH/"}""",
            """{"event":"done","reason":"completed"}""",
            """{"event":"closed"}""",
        ]);
        run.ExitCode.ShouldBe(0, run.Error);
        header.ShouldBe("yes");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task A_ws_url_means_a_WebSocket()
    {
        await using var server = await WebSocketServer.StartAsync(async (_, socket) =>
        {
            await SendAsync(socket, WebSocketMessageType.Text, "hello"u8.ToArray());
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestEnds);
        });

        var run = await Cli.RunAsync("connect", server.Url.Replace("http://", "ws://", StringComparison.Ordinal));

        run.Output.ShouldBe("hello\n");
        run.ExitCode.ShouldBe(0, run.Error);
    }

    private static Task SendAsync(WebSocket socket, WebSocketMessageType type, byte[] message) =>
        socket.SendAsync(message, type, endOfMessage: true, TestEnds);

    private static async Task<byte[]> ReceiveAsync(WebSocket socket)
    {
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer, TestEnds);
        return buffer[..received.Count];
    }
}
