namespace Perennial.Testing.Tests;

public sealed class ScriptErrorTests : IDisposable
{
    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    [Fact(Timeout = 180_000)]
    public async Task Clients_that_go_away_are_no_error()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteAsync("x");
            await exchange.WaitForClientCloseAsync();
            while (true)
            {
                await exchange.WriteAsync(new byte[100_000]);
            }
        });
        using (var client = await Wire.ConnectAsync(server.Address))
        {
            await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            await client.ReceiveAsync(1);
        }
        using (var client = await Wire.ConnectAsync(server.Address))
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHalf: a he"u8.ToArray());
        }

        await server.WaitForConnectionsAsync(2, Wire.Cancelled);
        await WaitUntilIdleAsync(server);
        server.Errors.ShouldBeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task A_failed_assertion_in_a_script_fails_the_test()
    {
        var server = ScriptedServer.Start(exchange =>
        {
            exchange.Request.Method.ShouldBe("POST");
            return exchange.RespondAsync(200);
        });
        await Should.ThrowAsync<HttpRequestException>(() => _http.GetAsync(server.Address, Wire.Cancelled));
        server.Errors.ShouldHaveSingleItem().ShouldBeOfType<ShouldAssertException>();

        (await Record.ExceptionAsync(async () => await server.DisposeAsync())).ShouldBeSameAs(server.Errors[0]);
        await server.DisposeAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task Several_errors_are_thrown_together()
    {
        var server = ScriptedServer.StartRaw(_ => throw new InvalidTimeZoneException(), _ => throw new InvalidCastException());
        for (var i = 0; i < 2; i++)
        {
            (await Wire.AskAsync(server.Address)).End.ShouldBe(CutMode.Reset);
        }

        var thrown = await Should.ThrowAsync<AggregateException>(async () => await server.DisposeAsync());
        thrown.InnerExceptions.Select(e => e.GetType()).ShouldBe([typeof(InvalidTimeZoneException), typeof(InvalidCastException)]);
    }

    [Fact(Timeout = 180_000)]
    public async Task Disposing_ends_scripts_that_wait()
    {
        var server = ScriptedServer.StartRaw(
            connection => connection.WaitForClientCloseAsync(),
            connection => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, connection.Stopping),
            connection => connection.WriteAsync(new byte[64 * 1024 * 1024]),
            async connection => await connection.Stream.ReadExactlyAsync(new byte[1]));
        using var first = await Wire.ConnectAsync(server.Address);
        using var second = await Wire.ConnectAsync(server.Address);
        using var third = await Wire.ConnectAsync(server.Address);
        using var fourth = await Wire.ConnectAsync(server.Address);
        await server.WaitForConnectionsAsync(4, Wire.Cancelled);

        await server.DisposeAsync();

        server.LiveConnections.ShouldBe(0);
        (await first.ReceiveToEndAsync()).End.ShouldBe(CutMode.Reset);
    }

    [Fact(Timeout = 180_000)]
    public async Task An_empty_chunk_would_end_the_body_and_is_refused()
    {
        var server = ScriptedServer.Start(exchange => exchange.WriteChunkAsync(""));
        await Should.ThrowAsync<HttpRequestException>(() => _http.GetAsync(server.Address, Wire.Cancelled));

        await Should.ThrowAsync<ArgumentException>(async () => await server.DisposeAsync());
    }

    private static async Task WaitUntilIdleAsync(ScriptedServer server)
    {
        while (server.LiveConnections > 0)
        {
            await Task.Yield();
        }
    }
}
