using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>connect</c> to a server whose answer does not name its format.</summary>
public class ConnectUntypedTests
{
    [Theory(Timeout = Cli.Hang)]
    [InlineData("data: a\n\ndata: b\n\n", "a\nb\n")]
    [InlineData("{\"n\":1}\n{\"n\":2}\n", "{\"n\":1}\n{\"n\":2}\n")]
    [InlineData("plain words\nwithout an end", "plain words\nwithout an end")]
    public async Task Recognizes_the_body_by_its_first_bytes(string body, string output)
    {
        await using var server = ScriptedServer.Start(Untyped(body));

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--data", "{}");

        run.Output.ShouldBe(output);
        run.ExitCode.ShouldBe(0, run.Error);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Says_and_shows_in_the_exit_code_that_lines_were_left_out()
    {
        await using var server = ScriptedServer.Start(Untyped("{\"n\":1}\nno JSON\n"));

        var run = await Cli.RunAsync("connect", server.Address.AbsoluteUri, "--data", "{}");

        run.Output.ShouldBe("{\"n\":1}\n");
        run.ErrorLines[^1].ShouldBe("perennial: failed: the output is incomplete, data is missing");
        run.ExitCode.ShouldBe(1);
    }

    private static Func<ScriptedExchange, Task> Untyped(string body) => exchange => exchange.RespondAsync(200, body);
}
