using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Abuse;

/// <summary>Servers that mean harm, or are broken: a clear error, soon, in bounded memory.</summary>
[Collection(nameof(Alone))]
public class HostileServerTests
{
    private const int MaxMessageBytes = 1024 * 1024;

    public static TheoryData<string, string> EndlessBodies { get; } = new()
    {
        { "a line without end", "data: xxxxxxxxxxxxxxxx" },
        { "a comment without end", ": xxxxxxxxxxxxxxxx" },
        { "an id without end", "id: xxxxxxxxxxxxxxxx" },
        { "a field nobody knows without end", "xxxxxxxxxxxxxxxx" },
    };

    [Theory]
    [MemberData(nameof(EndlessBodies))]
    public async Task A_line_without_end_is_refused_in_bounded_memory(string what, string start)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync(start);
            await ForEver(exchange.WriteChunkAsync, "xxxxxxxxxxxxxxxx");
        });

        await ShouldFail(server, TransportErrorCode.MessageTooLarge, "MaxMessageBytes", what);
    }

    [Fact]
    public async Task An_event_of_endless_data_lines_is_refused_in_bounded_memory()
    {
        await using var server = ScriptedServer.Start(static async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await ForEver(exchange.WriteChunkAsync, "data: xxxxxxxxxxxxxxxx\n");
        });

        await ShouldFail(server, TransportErrorCode.MessageTooLarge, "MaxMessageBytes");
    }

    [Theory]
    [InlineData("X-Endless: ", "xxxxxxxxxxxxxxxx")]
    [InlineData("", "X-Another: xxxxxxxxxxxxxxxx\r\n")]
    public async Task Headers_without_end_are_refused_in_bounded_memory(string start, string more)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + start);
            await ForEver(exchange.WriteAsync, more);
        });

        await ShouldFail(server, TransportErrorCode.ProtocolViolation, "headers");
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("\0\u0001\u0002\u0003\r\n\r\n")]
    [InlineData("HTTP/1.1 abc Nonsense\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")]
    public async Task Whoever_does_not_speak_http_is_refused(string greeting)
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            await connection.WriteAsync(greeting);
            await connection.WaitForClientCloseAsync(connection.Stopping);
        });

        await ShouldFail(server, TransportErrorCode.ProtocolViolation, "HTTP");
    }

    [Theory]
    [InlineData("xyz\r\ndata: a\n\n\r\n")]
    [InlineData("ffffffffffffffffffff\r\n")]
    [InlineData("-5\r\n")]
    public async Task A_wrong_chunk_header_is_a_protocol_violation_after_the_messages_before_it(string chunk)
    {
        var isRead = new TaskCompletionSource();        // bytes that arrive together with the fault are lost in HttpClient
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync("data: before\n\n");
            await isRead.Task.Soon();
            await exchange.WriteAsync(chunk);
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });
        await using var transport = server.Transport();
        var texts = new List<string>();

        var error = await Should.ThrowAsync<TransportException>(async () =>
        {
            await foreach (var message in transport.ReadAllAsync())
            {
                texts.Add(message.Text);
                isRead.SetResult();
            }
        });

        texts.ShouldBe(["before"]);
        error.Code.ShouldBe(TransportErrorCode.ProtocolViolation);
        error.IsTransient.ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_runs_into_the_connect_timeout()
    {
        var time = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(static exchange => exchange.WaitForClientCloseAsync(exchange.Stopping));
        await using var transport = server.Transport(
            static options => options with { Reconnect = new ReconnectOptions { Enabled = false } }, new TransportServices { Time = time });
        var connecting = transport.ConnectAsync();
        await server.WaitForRequestsAsync(1).Soon();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(30)).Soon();

        time.Advance(TimeSpan.FromSeconds(30));

        var error = await connecting.Soon().ShouldThrowAsync<TransportException>();
        error.Code.ShouldBe(TransportErrorCode.ConnectTimeout);
        error.IsTransient.ShouldBeTrue();
        error.Message.ShouldContain("30");
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
    }

    [Fact]
    public async Task A_server_that_hangs_up_without_a_word_is_a_lost_connection_worth_another_attempt()
    {
        await using var server = ScriptedServer.Start(static exchange =>
        {
            exchange.Close();
            return Task.CompletedTask;
        });
        await using var transport =
            server.Transport(static options => options with { Reconnect = new ReconnectOptions { Enabled = false } });

        var error = await transport.ConnectAsync().Soon().ShouldThrowAsync<TransportException>();

        error.Code.ShouldBe(TransportErrorCode.ConnectionLost);
        error.IsTransient.ShouldBeTrue();
    }

    private static async Task ForEver(Func<string, CancellationToken, Task> write, string piece)
    {
        var block = string.Concat(Enumerable.Repeat(piece, 4096));
        while (true)
        {
            await write(block, CancellationToken.None);
        }
    }

    private static async Task ShouldFail(ScriptedServer server, TransportErrorCode code, string says, string? what = null)
    {
        await using var transport = server.Transport(static options => options with { MaxMessageBytes = MaxMessageBytes });
        var before = Memory();

        var error = await transport.ReadAllAsync().TextsAsync().Soon().ShouldThrowAsync<TransportException>(what);

        error.Code.ShouldBe(code, what);
        error.IsTransient.ShouldBeFalse();
        error.Message.ShouldContain(says);
        transport.State.ShouldBe(TransportState.Failed);
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        // Twice the limit while a line grows, what pools keep of that, and the server in the same process.
        (Memory() - before).ShouldBeLessThan(16 * MaxMessageBytes);

        static long Memory() => GC.GetTotalMemory(forceFullCollection: true);
    }
}
