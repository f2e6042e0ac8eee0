using System.Net;
using System.Net.Sockets;
using System.Text;
using Perennial.AspNetCore.Tests.WebSockets;
using Perennial.Streams;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.ByteStreams;

/// <summary>What byte streams promise, and how each side takes what is no byte stream.</summary>
public class ByteStreamTests
{
    private const int Hang = 40_000;

    private const string Accepted =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: perennial.v1\r\nPerennial-Protocol: 1\r\nPerennial-Heartbeat: 15\r\n\r\n";

    private static readonly ReconnectOptions Never = new() { Enabled = false };

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = Hang)]
    public async Task A_run_is_read_and_written_over_a_socket_file()
    {
        var file = Streams.NewSocketFile();
        await using var server = await Streams.StartOnUnixSocketAsync(file);
        await using var open = await OpenRun.StartAsync(server);
        await using var transport = new ByteStreamTransport(new Uri($"unix:{file}:{RunServer.PathOf(open.Run)}"));

        (await transport.SendAsync("hello", TestEnds)).ShouldBe(SendOutcome.Acknowledged);
        await transport.StopAsync(TestEnds);

        (await open.TextsAsync(1)).ShouldBe(["hello"]);
        (await transport.Completion).Reason.ShouldBe(StreamEndReason.Stopped);
        transport.ResumePoint!.Endpoint.OriginalString.ShouldBe($"unix:{file}:{RunServer.PathOf(open.Run)}");
    }

    [Fact(Timeout = Hang)]
    public async Task Access_is_decided_as_for_other_requests()
    {
        await using var server = await RunServer.StartAsync(decide: static runs => runs.AuthorizeRuns(
            static access => ValueTask.FromResult(access.HttpContext.Request.Headers.Authorization == "Bearer fresh")));
        var run = await server.FinishedRunAsync("a", "b");
        var endpoint = Streams.Tcp(server.Address, RunServer.PathOf(run));
        await using var stranger = new ByteStreamTransport(new ByteStreamTransportOptions { Endpoint = endpoint, Reconnect = Never });
        await using var friend = new ByteStreamTransport(new ByteStreamTransportOptions
        {
            Endpoint = endpoint,
            Reconnect = Never,
            ConfigureRequest = static (request, _) =>
            {
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer fresh");
                return ValueTask.CompletedTask;
            },
        });

        var refused = await Should.ThrowAsync<TransportException>(() => Streams.ReadAsync(stranger));
        refused.HttpStatus.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden);
        refused.IsTransient.ShouldBeFalse();
        (await Streams.ReadAsync(friend)).ShouldBe(["a", "b"]);
    }

    [Theory(Timeout = Hang)]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", TransportErrorCode.ProtocolViolation)]
    [InlineData("-ERR unknown command\r\n", TransportErrorCode.ProtocolViolation)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", TransportErrorCode.ProtocolViolation)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", TransportErrorCode.HttpStatus)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n", TransportErrorCode.ProtocolViolation)]
    [InlineData(Accepted + "\u0003\0\0\0\0", TransportErrorCode.ProtocolViolation)]
    [InlineData(Accepted + "\u0001\u007f\u007f\u007f\u007f", TransportErrorCode.MessageTooLarge)]
    [InlineData(Accepted + "\u0002\0\0\0\u0001a", TransportErrorCode.ProtocolViolation)]
    [InlineData(Accepted + "\u0009\0\0\0\u007e", TransportErrorCode.ProtocolViolation)]
    [InlineData(Accepted + "\u0008\0\0\0\u0001a", TransportErrorCode.ProtocolViolation)]
    [InlineData(Accepted + "\u0008\0\0\0\u0002\u0003\u00e8", TransportErrorCode.EndedWithoutMarker)]
    public async Task A_server_of_another_protocol_is_the_right_error(string said, TransportErrorCode code)
    {
        var bytes = Encoding.Latin1.GetBytes(said);
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync(bytes);
            if (bytes[^1] == 0x7f)
            {
                await connection.WriteAsync(new byte[4096]);        // the beginning of a message that is too large
            }

            await connection.WaitForClientCloseAsync(connection.Stopping);
        });
        await using var transport = new ByteStreamTransport(new ByteStreamTransportOptions
        {
            Endpoint = Streams.Tcp(server.Address, "/streams/7"), Reconnect = Never, MaxMessageBytes = 1000,
        });

        var error = await Should.ThrowAsync<TransportException>(() => Streams.ReadAsync(transport));

        error.Code.ShouldBe(code);
    }

    [Theory(Timeout = Hang)]
    [InlineData(new byte[] { 3, 0, 0, 0, 0 }, 1002)]
    [InlineData(new byte[] { 1, 0xff, 0xff, 0xff, 0xff }, 1002)]
    [InlineData(new byte[] { 9, 0, 0, 0, 126 }, 1002)]
    [InlineData(new byte[] { 2, 0, 0, 0, 1, 0 }, 1003)]
    [InlineData(new byte[] { 1, 0, 0, 0, 1, (byte)'x' }, 4400)]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, 4400)]
    public async Task A_client_that_sends_something_else_is_closed_with_the_reason(byte[] sent, int code)
    {
        await using var server = await RunServer.StartAsync();
        await using var open = await OpenRun.StartAsync(server);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port, TestEnds);
        var stream = client.GetStream();
        await stream.WriteAsync((byte[])[.. RequestFor(open.Run), .. sent], TestEnds);

        byte[] close = [8, 0, 0, 0, 2, (byte)(code >> 8), (byte)code];
        var all = new List<byte>();
        var block = new byte[4096];
        while (!all.TakeLast(close.Length).SequenceEqual(close))
        {
            var count = await stream.ReadAsync(block, TestEnds);
            count.ShouldBeGreaterThan(0, Encoding.Latin1.GetString([.. all]));
            all.AddRange(block[..count]);
        }

        (await open.Run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
    }

    [Fact(Timeout = Hang)]
    public async Task A_client_that_never_answers_the_close_is_cut_off()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("a");
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port, TestEnds);
        var stream = client.GetStream();
        await stream.WriteAsync(RequestFor(run), TestEnds);

        var read = 0;
        try
        {
            while (await stream.ReadAsync(new byte[4096], TestEnds) is > 0 and var count)
            {
                read += count;
            }
        }
        catch (IOException)
        {
            // The server resets the connection.
        }

        read.ShouldBeGreaterThan(100);
    }

    private static byte[] RequestFor(StreamRun run) => Encoding.ASCII.GetBytes(
        $"GET {RunServer.PathOf(run)} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: perennial.v1\r\n\r\n");

    [Fact(Timeout = Hang)]
    public async Task A_file_without_a_server_is_a_transient_error_that_names_it()
    {
        await using var transport = new ByteStreamTransport(
            new ByteStreamTransportOptions { Endpoint = new Uri("unix:/nowhere/app.sock:/streams/7"), Reconnect = Never });

        var error = await Should.ThrowAsync<TransportException>(() => Streams.ReadAsync(transport));

        error.Message.ShouldContain("/nowhere/app.sock cannot be opened");
        error.Code.ShouldBe(TransportErrorCode.ConnectFailed);
    }

    [Theory]
    [InlineData("unix:/run/app.sock", "unix:/run/app.sock:/streams/7")]
    [InlineData("unix:app.sock:/streams/7", "unix:/run/app.sock:/streams/7")]
    [InlineData("unix:/run/app.sock:streams", "unix:/run/app.sock:/streams/7")]
    [InlineData("tcp://host/streams/7", "must have a port")]
    [InlineData("http://host/streams/7", "tcp://, tls://, unix")]
    public void An_endpoint_of_another_form_is_refused_with_what_is_accepted(string endpoint, string accepted) =>
        Should.Throw<ArgumentException>(() => new ByteStreamTransport(new Uri(endpoint))).Message.ShouldContain(accepted);
}
