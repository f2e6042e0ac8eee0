using Perennial.Testing;

namespace Perennial.Samples.Tests;

/// <summary>Every sample does what it says.</summary>
public class SamplesTests
{
    [Fact]
    public async Task The_worker_reads_its_streams_and_tells_its_health()
    {
        await using var feeds = ScriptedServer.Start(static async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync("id: 1\ndata: hello\n\n");
            await exchange.WaitForClientCloseAsync(exchange.Stopping);
        });
        string[] streams = ["prices", "news", "weather"];
        await using var worker = Sample.Start(
            "Worker", ["--Urls=http://127.0.0.1:0", .. streams.Select(name => $"--Perennial:Transports:{name}:Endpoint={feeds.Address}{name}")]);

        var address = await worker.AddressAsync();
        for (var i = 0; i < streams.Length; i++)
        {
            await worker.LineWithAsync(": hello");
        }

        using var client = new HttpClient();
        (await client.GetStringAsync(new Uri(address, "/health"), TestContext.Current.CancellationToken)).ShouldBe("Healthy");
    }

    [Fact]
    public async Task The_view_model_changes_on_one_thread_only()
    {
        await using var sample = Sample.Start("ViewModel");

        var output = await sample.OutputAsync();

        output.ShouldContain("State: connected\n");
        output.ShouldContain("Text: Every change comes on one thread. \n");
        output.ShouldContain("State: ended: Completed\n");     // an event, which need not wait for the reader
        output.ShouldNotContain("WRONG THREAD");
    }

    [Fact]
    public async Task The_telemetry_sample_prints_metrics_and_activities()
    {
        await using var sample = Sample.Start("Telemetry");

        var output = await sample.OutputAsync();

        output.ShouldContain("What happens can be seen. ");
        output.ShouldContain("activity perennial.connect Unset [perennial.transport=sse server.address=127.0.0.1 server.port=");
        output.ShouldContain("metric perennial.client.messages {message} [perennial.transport=sse] 5\n");
        output.ShouldContain("metric perennial.client.transports {transport} [perennial.state=Closed perennial.transport=sse] 1\n");
        output.ShouldContain("metric perennial.client.time_to_first_message s [perennial.transport=sse] 1 times");
    }
}
