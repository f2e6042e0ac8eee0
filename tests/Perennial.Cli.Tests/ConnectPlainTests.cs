using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>What <c>connect</c> prints for people and pipes: data on stdout, everything else on stderr.</summary>
public class ConnectPlainTests
{
    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_the_data_of_each_message_and_a_newline()
    {
        await using var server =
            ScriptedServer.Start(Script.Stream("id: 1\nevent: x\ndata: Grüße 🌱\n\ndata: two\ndata: lines\n\ndata\n\n"));

        var run = await RunAsync(server);

        run.Output.ShouldBe("Grüße 🌱\ntwo\nlines\n\n");
        run.ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_a_message_as_soon_as_it_arrives()
    {
        await using var server = ScriptedServer.Start(Script.Hold("data: first\n\n"));
        await using var cli = Cli.Start("connect", server.Address.AbsoluteUri, "--transport", "sse");

        // The server says no more: without a flush this line would never come.
        (await cli.ReadUntilAsync("first")).ShouldBe("first");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Tells_its_state_on_stderr()
    {
        await using var server = ScriptedServer.Start(Script.Cut("id: 1\ndata: a\n\n"), Script.Stream("id: 2\ndata: b\n\n"));

        var run = await RunAsync(server, "--retry-delay", "0");

        run.Output.ShouldBe("a\nb\n");
        run.ErrorLines.ShouldBe(
        [
            "perennial: connecting",
            "perennial: connected",
            "perennial: The connection was interrupted.",
            "perennial: reconnecting in 0 s, attempt 1 of 5",
            "perennial: connecting",
            "perennial: connected",
            "perennial: completed",
        ]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Adds_the_librarys_log_when_verbose()
    {
        await using var server = ScriptedServer.Start(Script.Stream("data: a\n\n"));

        var run = await RunAsync(server, "--verbose");

        run.Output.ShouldBe("a\n");
        run.Error.ShouldContain("Idle -> Connecting");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Lets_no_control_character_of_the_server_reach_the_terminal_on_stderr()
    {
        await using var server = ScriptedServer.Start(Script.Stream("data: {\"type\":\"error\",\"message\":\"a\\u001b[31m\\nb\"}\n\n"));

        var run = await RunAsync(server);

        run.Error.ShouldContain("perennial: The server reported an error in the stream. Server: a [31m b\n");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_exactly_as_many_messages_as_it_is_to_take()
    {
        await using var server = ScriptedServer.Start(Script.Hold("data: a\n\ndata: b\n\ndata: c\n\n"));

        var run = await RunAsync(server, "--take", "2");

        run.Output.ShouldBe("a\nb\n");
        run.ExitCode.ShouldBe(0);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Prints_neither_headers_nor_the_query_string()
    {
        await using var server = ScriptedServer.Start(Script.Status(503), Script.Status(401));

        var run = await Cli.RunAsync(
            "connect",
            $"{server.Address}path?token=secret-query",
            "--transport",
            "sse",
            "--header",
            "Authorization: Bearer secret-header",
            "--retry-delay",
            "0",
            "--verbose");

        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain("401");
        (run.Output + run.Error).ShouldNotContain("secret");
    }

    private static Task<CliResult> RunAsync(ScriptedServer server, params string[] options) =>
        Cli.RunAsync(["connect", server.Address.AbsoluteUri, "--transport", "sse", .. options]);
}
