using Perennial.Sse;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>perennial serve</c> with lines: from standard input and from a file.</summary>
public class ServeLinesTests
{
    [Fact(Timeout = Cli.Hang)]
    public async Task Serves_each_line_of_standard_input_as_an_event()
    {
        await using var serve = await ServeProcess.StartAsync("--stdin");
        await serve.Cli.Input.WriteAsync("Grüße 🌱\n\nlast");
        serve.Cli.Input.Close();

        (await Streams.ReadAsync(serve.Address)).ShouldBe(["Grüße 🌱", "", "last"]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Serves_a_line_before_the_next_is_there()
    {
        await using var serve = await ServeProcess.StartAsync("--stdin");
        await serve.Cli.Input.WriteAsync("first\n");
        await serve.Cli.Input.FlushAsync(TestContext.Current.CancellationToken);
        await using var transport = new SseTransport(new SseTransportOptions { Endpoint = serve.Address });

        await foreach (var message in transport.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            message.Text.ShouldBe("first");
            break;
        }
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Serves_a_file_over_a_line_that_keeps_being_cut()
    {
        string[] lines = [.. Enumerable.Range(1, 500).Select(number => $"line {number}")];
        using var file = new TemporaryFile(string.Join('\n', lines));
        await using var serve = await ServeProcess.StartAsync("--file", file.Path, "--delay", "1");
        await using var proxy = FaultProxy.Start(serve.Address, connection => connection < 10 ? FaultPlan.Cut(1500) : FaultPlan.None);

        (await Streams.ReadAsync(proxy.Address)).ShouldBe(lines);
        proxy.Cuts.ShouldBe(10);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Can_be_read_again_after_its_end()
    {
        using var file = new TemporaryFile("one\ntwo\n");
        await using var serve = await ServeProcess.StartAsync("--file", file.Path);

        (await Streams.ReadAsync(serve.Address)).ShouldBe(["one", "two"]);
        (await Streams.ReadAsync(serve.Address)).ShouldBe(["one", "two"]);
    }
}
