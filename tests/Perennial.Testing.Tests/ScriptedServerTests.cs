using System.Net;
using System.Text;

namespace Perennial.Testing.Tests;

public sealed class ScriptedServerTests : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxResponseDrainSize = 0 });      // leaves at once

    public void Dispose() => _http.Dispose();

    [Fact(Timeout = 180_000)]
    public async Task The_nth_request_gets_the_nth_script_and_the_last_one_repeats()
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.RespondAsync(503, "", ("Retry-After", "7")),
            exchange => exchange.RespondAsync(200, $"request {exchange.Request.RequestIndex}"));

        using var first = await _http.GetAsync(server.Address, Wire.Cancelled);
        first.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        first.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(7));
        (await _http.GetStringAsync(server.Address, Wire.Cancelled)).ShouldBe("request 1");
        (await _http.GetStringAsync(server.Address, Wire.Cancelled)).ShouldBe("request 2");

        server.Connections.ShouldBe(1);
        server.Requests.Select(request => request.ConnectionIndex).ShouldBe([0, 0, 0]);
    }

    [Fact(Timeout = 180_000)]
    public async Task Streams_events_as_the_script_writes_them()
    {
        var secondIsWanted = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync(("X-Run", "7"));
            await exchange.WriteChunkAsync("data: 1\n\n");
            await secondIsWanted.Task;
            await exchange.WriteChunkAsync("data: 2\n\n"u8.ToArray());
            await exchange.EndChunksAsync();
        });

        using var response = await _http.GetAsync(server.Address, HttpCompletionOption.ResponseHeadersRead, Wire.Cancelled);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        response.Headers.GetValues("X-Run").ShouldBe(["7"]);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Wire.Cancelled));
        (await reader.ReadLineAsync(Wire.Cancelled)).ShouldBe("data: 1");
        secondIsWanted.SetResult();
        (await reader.ReadToEndAsync(Wire.Cancelled)).ShouldBe("\ndata: 2\n\n");
    }

    [Fact(Timeout = 180_000)]
    public async Task Writes_exactly_the_bytes_of_the_script()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(299, ("A", "1"), ("A", "2"));
            await exchange.WriteAsync("no chunk size");
            await exchange.WriteChunkAsync("0123456789abcdef");
            exchange.Close();
        });
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        var (received, end) = await client.ReceiveToEndAsync();

        Encoding.ASCII.GetString(received).ShouldBe("HTTP/1.1 299 299\r\nA: 1\r\nA: 2\r\n\r\nno chunk size10\r\n0123456789abcdef\r\n");
        end.ShouldBe(CutMode.Close);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_reset_comes_after_the_bytes_written_before_it()
    {
        const int Written = 1_000_000;   // fits into the kernel's buffers, and not into the client's window
        var resetIsWanted = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteAsync(new byte[Written]);
            var reset = exchange.ResetAsync();
            resetIsWanted.SetResult();
            await reset;
        });
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await resetIsWanted.Task;

        var (received, end) = await client.ReceiveToEndAsync();

        received.Length.ShouldBe(Written);
        end.ShouldBe(CutMode.Reset);
    }

    [Fact(Timeout = 180_000)]
    public async Task Responses_that_may_have_no_body_have_neither_body_nor_length()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(204));
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"u8.ToArray());

        var (received, _) = await client.ReceiveToEndAsync();

        Encoding.ASCII.GetString(received).ShouldBe("HTTP/1.1 204 NoContent\r\n\r\n");
    }

    [Fact(Timeout = 180_000)]
    public async Task HEAD_gets_the_length_and_not_the_body()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.RespondAsync(200, "hello"));

        using var head = await _http.SendAsync(new HttpRequestMessage(HttpMethod.Head, server.Address), Wire.Cancelled);
        head.Content.Headers.ContentLength.ShouldBe(5);

        (await _http.GetStringAsync(server.Address, Wire.Cancelled)).ShouldBe("hello");
        server.Connections.ShouldBe(1);
    }

    [Fact(Timeout = 180_000)]
    public async Task Sees_the_client_leave()
    {
        var left = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WaitForClientCloseAsync();
            left.SetResult();
        });

        using (await _http.GetAsync(server.Address, HttpCompletionOption.ResponseHeadersRead, Wire.Cancelled))
        {
            left.Task.IsCompleted.ShouldBeFalse();
        }

        await left.Task.WaitAsync(Wire.Cancelled);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_pending_write_shows_that_the_client_does_not_read()
    {
        const int MoreThanBuffersHold = 64 * 1024 * 1024;
        var started = new TaskCompletionSource<(ScriptedExchange Exchange, Task Write)>();
        await using var server = ScriptedServer.Start(exchange =>
        {
            var write = exchange.WriteAsync(new byte[MoreThanBuffersHold]);
            started.SetResult((exchange, write));
            return write;
        });
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        var (exchange, write) = await started.Task;
        await client.ReceiveAsync(100);
        write.IsCompleted.ShouldBeFalse();
        exchange.BytesWritten.ShouldBeLessThan(MoreThanBuffersHold);

        await client.ReceiveAsync(MoreThanBuffersHold - 100);
        await write;
        exchange.BytesWritten.ShouldBe(MoreThanBuffersHold);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_raw_script_has_the_connection_to_itself()
    {
        await using var server = ScriptedServer.StartRaw(async connection =>
        {
            var question = new byte[4];
            await connection.Stream.ReadExactlyAsync(question);
            await connection.WriteAsync($"{connection.Index}: ");
            await connection.WriteAsync(question);
        });
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("ping"u8.ToArray());

        var (received, end) = await client.ReceiveToEndAsync();

        received.ShouldBe("0: ping"u8.ToArray());
        end.ShouldBe(CutMode.Close);
        server.Requests.ShouldBeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task An_upgraded_connection_can_be_read_behind_the_request()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(101, ("Upgrade", "echo"));
            var buffer = new byte[100];
            while (await exchange.ReadAsync(buffer) is > 0 and var count)
            {
                await exchange.WriteAsync(buffer.AsMemory(0, count));
            }

            exchange.Close();
        });
        using var client = await Wire.ConnectAsync(server.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nUpgrade: echo\r\n\r\nsent along"u8.ToArray());
        client.FinishSending();

        var (received, _) = await client.ReceiveToEndAsync();

        Encoding.ASCII.GetString(received).ShouldEndWith("\r\n\r\nsent along");
    }

    [Fact]
    public void A_server_needs_a_script()
    {
        Should.Throw<ArgumentException>(() => ScriptedServer.Start());
        Should.Throw<ArgumentException>(() => ScriptedServer.StartRaw());
    }
}
