using System.Collections.Concurrent;
using System.Globalization;
using Perennial.Auto;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>
/// Clients of every protocol on two servers, each a process of its own, thrown from one to the other by a line that keeps breaking, while
/// listeners are killed and one of the servers too. PERENNIAL_LONG=1 runs two hundred of them.
/// </summary>
public sealed class ThrownOverHttpTests(DatabaseServer cluster, ITestOutputHelper output) : IAsyncDisposable
{
    private const int Hang = 600_000;
    private const int Messages = 10;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("PERENNIAL_LONG") is "1";
    private static readonly int Streams = IsLong ? 200 : 20;
    private static readonly int Events = IsLong ? 500 : 150;
    private static readonly string[] Kinds = ["sse", "http-stream", "long-poll", "websocket", "auto"];

    private readonly Nodes _nodes = new(cluster);
    private readonly HttpClient _http = new();
    private readonly ServerProcess[] _servers = new ServerProcess[2];
    private readonly ConcurrentDictionary<string, int> _ends = new();
    private readonly ConcurrentBag<(string Kind, ThrownReader Reader)> _readers = [];
    private readonly ProtocolMemory _memory = new();
    private readonly int _seed = Random.Shared.Next();
    private int _read;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        foreach (var server in _servers.OfType<ServerProcess>())
        {
            await server.DisposeAsync();
        }

        await _nodes.DisposeAsync();
    }

    [Fact(Timeout = Hang)]
    public async Task Every_reader_gets_everything_once_and_every_message_is_heard_once()
    {
        output.WriteLine($"seed {_seed}");
        for (var n = 0; n < _servers.Length; n++)
        {
            _servers[n] = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
        }

        await using var nodes = new NodeSwitch(_seed, [.. _servers.Select(server => server.Address)]);
        var faults = new RandomFaults { Seed = _seed, MinBytes = 800, MaxBytes = 6000, RefuseShare = 0.05, MaxPieceBytes = 500 };
        await using var proxy = FaultProxy.Start(nodes.Address, faults.PlanFor);
        var all = Task.WhenAll(Enumerable.Range(0, Streams).Select(stream => Task.Run(() => FollowAsync(stream, proxy.Address))));

        var killed = await BreakAsync(proxy, nodes, all);

        await all;
        output.WriteLine(FormattableString.Invariant(
            $"{Streams} streams, {_read:N0} records read, {_readers.Sum(each => each.Reader.Heard.Count):N0} messages heard, {proxy.Cuts:N0} cuts of {proxy.Connections:N0} connections")
            + FormattableString.Invariant(
                $" ({string.Join(" and ", nodes.Carried)} to the nodes), {_readers.Sum(each => each.Reader.Metrics.Resumes):N0} resumes, ")
            + FormattableString.Invariant($"{killed} listeners killed, one server killed and replaced"));
        output.WriteLine(string.Join(", ", _ends.OrderBy(end => end.Key).Select(end => $"{end.Value} {end.Key}")) + "; 0 lost, 0 repeated");
        _ends.Values.Sum().ShouldBe(Streams);
        nodes.Carried.ShouldAllBe(count => count > 0);
    }

    /// <summary>Cuts lines and kills listeners until all is read, and in the midst of it a server, in whose place comes another.</summary>
    private async Task<int> BreakAsync(FaultProxy proxy, NodeSwitch nodes, Task all)
    {
        var random = new Random(_seed);
        var killed = 0;
        var wasReplaced = false;
        while (!all.IsCompleted)
        {
            await Task.WhenAny(all, Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 400)), TimeProvider.System, TestEnds));
            killed += await cluster.KillListenersAsync();
            if (random.Next(4) == 0)
            {
                proxy.CutAll();
            }

            if (wasReplaced || Volatile.Read(ref _read) < Streams * Events / 4)
            {
                continue;
            }

            wasReplaced = true;
            nodes.Set(0, null);
            await _servers[0].KillAsync();
            _servers[0] = await ServerProcess.StartAsync(cluster.ConnectionString, _nodes.Space);
            nodes.Set(0, _servers[0].Address);
        }

        return killed;
    }

    /// <summary>
    /// Follows one run, of which every second is produced on the server that will be killed. The first cannot end otherwise.
    /// </summary>
    private async Task FollowAsync(int stream, Uri proxy)
    {
        var kind = Kinds[stream % Kinds.Length];
        var messages = kind is "auto" ? 0 : Messages;       // what another protocol is to send again may have arrived
        var waitsForMore = stream == 0;
        var id = await StartAsync(stream, waitsForMore ? messages + 1 : messages);
        await using var transport = ThrownReader.Create(kind, new Uri(proxy, $"/streams/{id}"), _memory);
        var reader = new ThrownReader(transport);
        _readers.Add((kind, reader));

        var end = await reader.FollowAsync(messages, () => Interlocked.Increment(ref _read));

        reader.Metrics.Gaps.ShouldBe(0);
        reader.Heard.ShouldBe(Enumerable.Range(1, reader.Heard.Count).Select(ThrownReader.Message), kind);
        var (tail, status) = await TailAsync(id);
        tail.ShouldBe(reader.Sequence + 1, "the last record is the end");
        if (end.Reason == StreamEndReason.Completed && !waitsForMore)
        {
            (status, reader.Numbers, reader.Heard.Count).ShouldBe(("completed", Events, messages), kind);
        }
        else
        {
            end.Reason.ShouldBe(StreamEndReason.Failed, kind);
            (status, end.Error!.ServerCode).ShouldBe(("failed", "producer_lost"), kind);
        }

        _ends.AddOrUpdate(status is "completed" ? "completed" : "ended as lost with their server", 1, static (_, count) => count + 1);
    }

    private async Task<string> StartAsync(int stream, int messages)
    {
        var query = FormattableString.Invariant($"/runs?events={Events}&messages={messages}&seed={unchecked(_seed + stream)}");
        using var answer = await _http.PostAsync(new Uri(_servers[stream % _servers.Length].Address, query), content: null, TestEnds);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(TestEnds);
    }

    /// <summary>What the server that lived throughout says of a run.</summary>
    private async Task<(long Tail, string Status)> TailAsync(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(_servers[1].Address, $"/streams/{id}"));
        using var answer = await _http.SendAsync(request, TestEnds);
        var tail = answer.EnsureSuccessStatusCode().Headers.GetValues("Perennial-Tail").Single();
        return (long.Parse(tail.AsSpan(tail.IndexOf('-') + 1), CultureInfo.InvariantCulture), answer.Headers.GetValues("Perennial-Status").Single());
    }
}
