using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>Ctrl-C and its kin: at once, wherever <c>connect</c> happens to be.</summary>
public class ConnectSignalTests
{
    [Fact(Timeout = Cli.Hang)]
    public async Task Leaves_in_the_middle_of_a_stream()
    {
        await using var server = ScriptedServer.Start(Script.Hold("data: a\n\n"));
        await using var cli = Start(server);
        await cli.ReadUntilAsync("message");

        await ShouldLeaveAsync(cli, "INT", 130);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Leaves_while_it_waits_to_reconnect()
    {
        await using var server = ScriptedServer.Start(Script.Status(503));
        await using var cli = Start(server, "--retry-delay", "3600000", "--max-retry-delay", "3600000");
        await cli.ReadUntilAsync("reconnecting");

        await ShouldLeaveAsync(cli, "INT", 130);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Leaves_while_it_waits_for_an_answer()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.WaitForClientCloseAsync());
        await using var cli = Start(server);
        await cli.ReadUntilAsync("connecting");
        await server.WaitForRequestsAsync(1, TestContext.Current.CancellationToken);

        await ShouldLeaveAsync(cli, "INT", 130);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Leaves_although_its_reader_does_not_read()
    {
        await using var server =
            ScriptedServer.Start(Script.Hold($"data: first\n\n{string.Concat(Enumerable.Repeat("data: fills the pipe\n\n", 20_000))}"));
        await using var cli = Start(server);
        await cli.ReadUntilAsync("first");
        await cli.SignalAsync("INT");

        (await cli.ExitCodeAsync()).ShouldBe(130);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Leaves_when_it_is_terminated()
    {
        await using var server = ScriptedServer.Start(Script.Hold("data: a\n\n"));
        await using var cli = Start(server);
        await cli.ReadUntilAsync("message");

        await ShouldLeaveAsync(cli, "TERM", 143);
    }

    private static Cli Start(ScriptedServer server, params string[] options) =>
        Cli.Start(["connect", server.Address.AbsoluteUri, "--transport", "sse", "--json", .. options]);

    private static async Task ShouldLeaveAsync(Cli cli, string signal, int exitCode)
    {
        await cli.SignalAsync(signal);
        var run = await cli.EndAsync();
        run.Lines.ShouldBe(["""{"event":"closed"}"""]);
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(exitCode);
    }
}
