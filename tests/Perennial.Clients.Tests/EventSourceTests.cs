using System.Net.ServerSentEvents;
using System.Text;
using Perennial.Clients.Tests.Cells;
using Perennial.Clients.Tests.Roads;

namespace Perennial.Clients.Tests;

/// <summary>The npm package eventsource reads an answer that another client has asked for.</summary>
public class EventSourceTests(Matrix matrix)
{
    /// <summary>Milliseconds after which a test counts as hanging. The package itself waits 3 s before each reconnect.</summary>
    private const int Hang = 120_000;

    private const int EventsBeforeCut = 3;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    // Not Gemini: its ids stand in blocks of their own, which this package ignores.
    [Theory(Timeout = Hang)]
    [InlineData("openai-chat")]
    [InlineData("ai-sdk")]
    public async Task Reads_on_after_a_cut_and_stops_at_the_end(string dialect)
    {
        var node = matrix.RequireNode();
        await using var provider =
            ScriptedProvider.All.Single(each => string.Equals(each.Dialect.Name, dialect, StringComparison.Ordinal)).Start();
        await using var gateway = await Road.Gateway.OpenAsync(provider);
        var (run, data) = await PostAsync(gateway.BaseAddress, provider);
        await using var proxy = FaultProxy.Start(
            new Uri(run, "/"), FaultPlan.InOrder(FaultPlan.Cut(After.Seen("\n\n", EventsBeforeCut)), FaultPlan.None));

        var ask = new Ask(new Uri(proxy.Address, run.AbsolutePath)) { Node = node, Progress = static () => { } };
        var reading = await node.ReadAsync("event-source", ask, TestEnds);

        reading.Text.ShouldBe(string.Join('\n', data));
        proxy.Cuts.ShouldBe(1);
        provider.Prompts.Count.ShouldBe(1);
    }

    /// <summary>Asks the provider through a gateway, reads the answer, and returns the URL of its run and its events.</summary>
    private static async Task<(Uri Run, List<string> Data)> PostAsync(Uri gateway, ProviderServer provider)
    {
        using var client = new HttpClient();
        using var body = new StringContent(provider.SampleRequest, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri(gateway, provider.Endpoint.PathAndQuery), body, TestEnds);
        var data = new List<string>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(TestEnds)).EnumerateAsync(TestEnds))
        {
            data.Add(item.Data);
        }

        data.Count.ShouldBeGreaterThan(EventsBeforeCut);
        return (new Uri(gateway, response.Content.Headers.ContentLocation.ShouldNotBeNull()), data);
    }
}
