using System.Text.Json;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>What <c>connect --json</c> prints: every object, exactly and in order.</summary>
public class ConnectJsonTests
{
    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_everything_that_happens_in_order_over_a_cut()
    {
        await using var server = ScriptedServer.Start(
            Script.Cut("id: 1\ndata: a\n\nid: 2\ndata: b\n\n"),
            Script.Stream("id: 3\nevent: token\ndata: c\n\n"));

        var run = await RunAsync(server, "--retry-delay", "0");

        run.Lines.ShouldBe(
        [
            """{"event":"connecting"}""",
            """{"event":"connected"}""",
            """{"event":"message","id":"1","type":"message","data":"a"}""",
            """{"event":"message","id":"2","type":"message","data":"b"}""",
            """{"event":"error","message":"The connection was interrupted.","code":"connectionLost","recoverable":true}""",
            """{"event":"reconnecting","attempt":1,"delayMs":0}""",
            """{"event":"connecting"}""",
            """{"event":"connected"}""",
            """{"event":"message","id":"3","type":"token","data":"c"}""",
            """{"event":"done","reason":"completed"}""",
            """{"event":"closed"}""",
        ]);
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Says_how_long_it_waits_before_each_attempt()
    {
        await using var server = ScriptedServer.Start(Script.Status(503), Script.Status(503), Script.Stream("data: a\n\n"));

        var run = await RunAsync(server, "--retry-delay", "20", "--no-jitter", "--max-retry-delay", "30");

        run.Lines.Where(line => line.Contains("reconnecting", StringComparison.Ordinal)).ShouldBe(
        [
            """{"event":"reconnecting","attempt":1,"delayMs":20}""",
            """{"event":"reconnecting","attempt":2,"delayMs":30}""",
        ]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Reports_a_final_error_and_then_nothing_but_closed()
    {
        await using var server = ScriptedServer.Start(Script.Status(404));

        var run = await RunAsync(server);

        run.Lines.ShouldBe(
        [
            """{"event":"connecting"}""",
            """{"event":"error","message":"The server answered 404 (NotFound).","code":"httpStatus","status":404,"recoverable":false}""",
            """{"event":"closed"}""",
        ]);
        run.ExitCode.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Announces_a_gap_where_the_server_does_not_number_its_messages()
    {
        await using var server = ScriptedServer.Start(Script.Cut("data: a\n\n"), Script.Stream("data: a\n\n"));

        var run = await RunAsync(server, "--retry-delay", "0");

        run.Output.ShouldContain("""{"event":"gap","reason":"notNumbered","requestedId":null,"resumesAt":null}""");
        run.Lines.Count(line => line.Equals("""{"event":"message","id":null,"type":"message","data":"a"}""", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Passes_on_the_gap_the_server_announces()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"));
            await exchange.WriteChunkAsync("event: perennial.gap\ndata: {\"requested\":\"e-7\",\"resumesAt\":\"f-1\"}\n\n");
            await exchange.WriteChunkAsync("id: f-1\ndata: a\n\nevent: perennial.stopped\ndata: {}\n\n");
            await exchange.EndChunksAsync();
        });

        var run = await RunAsync(server, "--last-event-id", "e-7");

        run.Lines[2..].ShouldBe(
        [
            """{"event":"gap","reason":"announcedByServer","requestedId":"e-7","resumesAt":"f-1"}""",
            """{"event":"message","id":"f-1","type":"message","data":"a"}""",
            """{"event":"done","reason":"stopped"}""",
            """{"event":"closed"}""",
        ]);
        run.ExitCode.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_text_readably_and_as_valid_json_whatever_it_holds()
    {
        const string text = "Grüße, 日本語 🌱 <b> \"quoted\" \\ \u0001 \u2028";
        await using var server = ScriptedServer.Start(Script.Stream($"data: {text}\ndata: second line\n\n"));

        var run = await RunAsync(server);

        run.Lines[2].ShouldStartWith("""{"event":"message","id":null,"type":"message","data":"Grüße, 日本語 """);
        run.Lines[2].ShouldContain("<b>");
        JsonDocument.Parse(run.Lines[2]).RootElement.GetProperty("data").GetString().ShouldBe(text + "\nsecond line");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_bytes_that_are_not_text_as_replacement_characters()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync("data: <\u0000>\n\n"u8.ToArray().Select(b => b == 0 ? (byte)0xFF : b).ToArray());
            await exchange.EndChunksAsync();
        });

        var run = await RunAsync(server);

        run.Lines[2].ShouldBe("""{"event":"message","id":null,"type":"message","data":"<""" + "\uFFFD" + """>"}""");
        run.ExitCode.ShouldBe(0);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("""{"type":"error","message":"half a pair \ud800"}""")]
    [InlineData("""{"typ\ud800":1,"type":"\ud800rror","error":1}""")]
    public async Task Survives_text_that_no_string_can_hold(string data)
    {
        await using var server = ScriptedServer.Start(Script.Stream($"data: {data}\n\ndata: next\n\n"));

        var run = await RunAsync(server);

        run.Lines[^3..].ShouldBe(
        [
            """{"event":"message","id":null,"type":"message","data":"next"}""",
            """{"event":"done","reason":"completed"}""",
            """{"event":"closed"}""",
        ]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Ends_after_take_without_saying_that_the_stream_is_done()
    {
        await using var server = ScriptedServer.Start(Script.Stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n"));

        var run = await RunAsync(server, "--take", "2");

        run.Lines[2..].ShouldBe(
        [
            """{"event":"message","id":"1","type":"message","data":"a"}""",
            """{"event":"message","id":"2","type":"message","data":"b"}""",
            """{"event":"closed"}""",
        ]);
        run.ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Counts_and_announces_what_a_full_buffer_dropped()
    {
        const int sent = 5_000;
        await using var server =
            ScriptedServer.Start(Script.Stream(string.Concat(Enumerable.Range(1, sent).Select(n => $"id: {n}\ndata: x\n\n"))));

        var run = await RunAsync(server, "--buffer-size", "1", "--buffer-strategy", "drop-oldest");

        var objects = run.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var dropped = objects.Where(o => o.GetProperty("event").ValueEquals("dropped")).Sum(o => o.GetProperty("count").GetInt64());
        dropped.ShouldBeGreaterThan(0);
        objects.Count(o => o.GetProperty("event").ValueEquals("message")).ShouldBe((int)(sent - dropped));
        run.ExitCode.ShouldBe(1);
    }

    private static Task<CliResult> RunAsync(ScriptedServer server, params string[] options) =>
        Cli.RunAsync(["connect", server.Address.AbsoluteUri, "--transport", "sse", "--json", .. options]);
}
