using System.Net;
using System.Net.Sockets;

namespace Perennial.Cli.Tests;

/// <summary><c>perennial serve</c>: how it begins, is called wrongly, and ends.</summary>
public class ServeTests
{
    [Theory(Timeout = Cli.Hang)]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Ends_when_interrupted_and_lets_no_reader_take_that_for_the_end(string signal, int exitCode)
    {
        await using var serve = await ServeProcess.StartAsync("--stdin");
        using var client = new HttpClient();
        await using var body = await client.GetStreamAsync(serve.Address, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(body);
        (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull();

        await serve.Cli.SignalAsync(signal);

        await Should.ThrowAsync<IOException>(() => reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        var run = await serve.Cli.EndAsync();
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(exitCode);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Says_so_where_it_cannot_listen()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var run = await Cli.RunAsync("serve", "--stdin", "--url", $"http://{taken.LocalEndpoint}");

        run.ErrorLines.Length.ShouldBe(1, run.Error);
        run.Error.ShouldContain("cannot listen");
        run.Output.ShouldBeEmpty();
        run.ExitCode.ShouldBe(1);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData("one of --stdin, --file, --upstream and --demo")]
    [InlineData("one of --stdin, --file, --upstream and --demo", "--stdin", "--demo")]
    [InlineData("--url", "--stdin", "--url", "127.0.0.1")]
    [InlineData("--url", "--stdin", "--url", "https://127.0.0.1:1")]
    [InlineData("--url", "--stdin", "--url", "http://127.0.0.1:1/path")]
    [InlineData("--url", "--stdin", "--url", "http://example.com:1")]
    [InlineData("--url", "--demo", "--url", "http://0.0.0.0:0")]
    [InlineData("--postgres must look like", "--stdin", "--postgres", "secret")]
    [InlineData("--postgres must look like", "--stdin", "--postgres", "Nonsense=secret")]
    [InlineData("--postgres must look like", "--stdin", "--postgres", "Port=secret;Host=a")]
    [InlineData("--postgres must look like", "--stdin", "--postgres", "Password=secret")]
    [InlineData("cannot be used together", "--stdin", "--store", "runs.db", "--postgres", "Host=a")]
    [InlineData("--store must be the path", "--stdin", "--store", ":memory:")]
    [InlineData("--file", "--file", "/nowhere/at/all")]
    [InlineData("--delay needs --file", "--stdin", "--delay", "5")]
    [InlineData("--data needs --upstream", "--stdin", "--data", "x")]
    [InlineData("--header needs --upstream", "--stdin", "--header", "A: secret")]
    [InlineData("--upstream", "--upstream", "secret/path")]
    [InlineData("--header", "--upstream", "http://127.0.0.1:1", "--header", "Last-Event-ID: 1")]
    [InlineData("--method", "--upstream", "http://127.0.0.1:1", "--method", "GET", "--data", "x")]
    public async Task Says_in_one_line_what_is_wrong(string named, params string[] options)
    {
        var run = await Cli.RunAsync(["serve", .. options]);

        run.ErrorLines.Length.ShouldBe(1, run.Error);
        run.Error.ShouldContain(named);
        run.Error.ShouldNotContain("secret");
        run.Output.ShouldBeEmpty();
        run.ExitCode.ShouldBe(2);
    }
}
