using System.Globalization;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.PostgreSql.Tests;

/// <summary>Runs that name a resumption, in real server processes: one is killed or stands still, and the other goes on.</summary>
public sealed class ResumptionTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 180_000;
    private const int Events = 300;

    private readonly Nodes _nodes = new(cluster);
    private readonly HttpClient _client = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _nodes.DisposeAsync();
    }

    [Fact(Timeout = Hang)]
    public async Task When_the_producer_is_killed_readers_of_another_node_see_one_stream_to_its_end()
    {
        await using var producing = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
        await using var other = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
        var id = await StartAsync(producing);
        var thrown = await ReadAsync(producing, id, lastEventId: null, events: 50);

        await producing.KillAsync();
        var rest = await ReadAsync(other, id, thrown[^1], int.MaxValue);

        ShouldBeWhole([.. thrown, .. rest]);
    }

    [Fact(Timeout = Hang)]
    public async Task A_producer_that_stood_still_for_longer_than_its_lease_adds_nothing_when_it_comes_back()
    {
        await using var late = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
        await using var other = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
        var id = await StartAsync(late);
        var reading = ReadAsync(other, id, lastEventId: null, int.MaxValue);
        var before = await ReadAsync(late, id, lastEventId: null, events: 50);

        await late.StandStillAsync();
        // The other node goes on with the numbers before this one comes back: both would write at once if it were not fenced.
        var after = await ReadAsync(other, id, before[^1], events: Events - 150);
        await late.GoOnAsync();

        ShouldBeWhole(await reading);
        ShouldBeWhole(await ReadAsync(late, id, lastEventId: null, int.MaxValue));
        after[0].ShouldBe(NextOf(before[^1]));
    }

    [Fact(Timeout = Hang)]
    public async Task When_the_producer_is_stopped_for_a_deployment_another_node_goes_on()
    {
        await using var other = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
        Task<List<string>> reading;
        await using (var stopping = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space))
        {
            var id = await StartAsync(stopping);
            await ReadAsync(stopping, id, lastEventId: null, events: 50);
            reading = ReadAsync(other, id, lastEventId: null, int.MaxValue);
        }

        ShouldBeWhole(await reading);
    }

    private async Task<string> StartAsync(ServerProcess server)
    {
        var address = new Uri(server.Address, FormattableString.Invariant($"/runs?events={Events}&messages=0&seed=1&resumable=1"));
        using var answer = await _client.PostAsync(address, content: null, TestEnds);
        return await answer.Content.ReadAsStringAsync(TestEnds);
    }

    /// <summary>Reads some events in one response, or all to the end of the run. Returns their ids.</summary>
    private async Task<List<string>> ReadAsync(ServerProcess server, string id, string? lastEventId, int events)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, $"/streams/{id}"));
        request.Headers.Add("Perennial-Protocol", "1");
        request.Headers.Add("Last-Event-ID", lastEventId ?? "");
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(TestEnds));
        var ids = new List<string>();
        while (ids.Count < events && await lines.ReadLineAsync(TestEnds) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                ids.Add(line[4..]);
            }
            else if (line.StartsWith("event: perennial.", StringComparison.Ordinal))
            {
                line.ShouldBe("event: perennial.completed");
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal) && line is not "data: [DONE]")
            {
                line.ShouldBe($"data: {NumberOf(ids[^1])}");
            }
        }

        return ids;
    }

    private static void ShouldBeWhole(List<string> ids)
    {
        ids.Select(NumberOf).ShouldBe(Enumerable.Range(1, Events + 1));
        ids.Select(static id => id[..id.IndexOf('-', StringComparison.Ordinal)]).Distinct().ShouldHaveSingleItem();
    }

    private static string NextOf(string id) => FormattableString.Invariant($"{id[..id.IndexOf('-', StringComparison.Ordinal)]}-{NumberOf(id) + 1}");

    private static int NumberOf(string id) =>
        int.Parse(id.AsSpan(id.IndexOf('-', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture);
}
