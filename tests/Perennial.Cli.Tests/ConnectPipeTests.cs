using System.Globalization;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>connect</c> as a part of a pipe.</summary>
public class ConnectPipeTests
{
    [Theory(Timeout = Cli.Hang)]
    [InlineData("--json")]
    [InlineData("--verbose")]
    public async Task Ends_quietly_when_its_reader_goes_away(string mode)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            while (true)
            {
                await exchange.WriteChunkAsync("data: again\n\n", exchange.Stopping);
            }
        });
        await using var cli = Cli.Start("connect", server.Address.AbsoluteUri, "--transport", "sse", mode);
        await cli.ReadUntilAsync("again");
        cli.CloseOutput();

        var run = await cli.EndAsync();

        run.ExitCode.ShouldBe(0);
        run.Error.ShouldNotContain("pipe");
        run.Error.ShouldNotContain("   at ");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Fails_in_one_line_when_its_output_cannot_be_written()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no device that is always full.");
        await using var server = ScriptedServer.Start(Script.Hold("data: a\n\n"));
        await using var cli = Cli.StartInShell($"exec \"$@\" >/dev/full", "connect", server.Address.AbsoluteUri, "--json");

        var run = await cli.EndAsync();

        run.ExitCode.ShouldBe(1);
        run.ErrorLines.Single().ShouldStartWith("perennial: the output cannot be written");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Shares_a_file_with_what_is_written_after_it()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using var server = ScriptedServer.Start(Script.Stream("data: from the stream\n\n"));
            await using var cli =
                Cli.StartInShell($"{{ \"$@\"; echo after; }} >'{file}'", "connect", server.Address.AbsoluteUri, "--transport", "sse");
            await cli.EndAsync();

            (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe("from the stream\nafter\n");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Loses_nothing_when_its_reader_is_slow()
    {
        const int sent = 20_000;
        await using var server = ScriptedServer.Start(
            Script.Stream(string.Concat(Enumerable.Range(1, sent).Select(n => $"id: {n}\ndata: {n} and some more\n\n"))));
        await using var cli = Cli.Start("connect", server.Address.AbsoluteUri, "--transport", "sse", "--json", "--buffer-size", "10");
        await server.WaitForRequestsAsync(1, TestContext.Current.CancellationToken);

        var messages = new List<int>();
        var others = new List<string>();
        while (await cli.Output.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith("{\"event\":\"message\",\"id\":\"", StringComparison.Ordinal))
            {
                messages.Add(int.Parse(line.Split('"')[7], CultureInfo.InvariantCulture));
            }
            else
            {
                others.Add(line);
            }
        }

        messages.ShouldBe(Enumerable.Range(1, sent));
        others.ShouldContain(line => line.Equals("""{"event":"drain"}""", StringComparison.Ordinal));
        others.ShouldContain(line =>
            line.StartsWith("{\"event\":\"backpressure\",\"size\":", StringComparison.Ordinal)
                && line.EndsWith(",\"limit\":10,\"mark\":8}", StringComparison.Ordinal));
        others[^2..].ShouldBe(["""{"event":"done","reason":"completed"}""", """{"event":"closed"}"""]);
    }
}
