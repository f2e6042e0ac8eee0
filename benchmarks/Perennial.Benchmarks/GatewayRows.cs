using System.Globalization;
using Perennial.Benchmarks.Server;

namespace Perennial.Benchmarks;

/// <summary>
/// What stands between a client and its provider: the CPU time of a process that only forwards, and of the gateway. Documents pass through
/// both; a stream passes through the one and becomes a run in the other.
/// </summary>
internal static class GatewayRows
{
    private const int Documents = 4_000;
    private const int Streams = 10;
    private const int Events = 10_000;

    private static readonly string[] Names = [Between.Yarp, Between.Gateway];

    /// <param name="upstream">The upstream.</param>
    /// <param name="runs">Measurements of each; the median is printed.</param>
    public static async Task PrintAsync(string upstream, int runs)
    {
        Console.WriteLine(
            $"CPU time and allocated bytes of the process in between, medians of {runs} interleaved runs. A document has 2 KB; an event is a chunk of a chat completion of 250 B.");
        Console.WriteLine();
        Console.WriteLine("| through | CPU ns a document | x YARP | allocated B | CPU ns an event | x YARP | allocated B |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        var documents = Names.ToDictionary(name => name, _ => new List<Sample>(), StringComparer.Ordinal);
        var events = Names.ToDictionary(name => name, _ => new List<Sample>(), StringComparer.Ordinal);
        var children = new Dictionary<string, (Child Process, Uri Address)>(StringComparer.Ordinal);
        using var client = new HttpClient();
        try
        {
            foreach (var name in Names)
            {
                var child = Child.Ourselves(["between", name, upstream], core: 0);
                children[name] = (child, new Uri(await child.AnswerAsync()));
            }

            for (var run = -1; run < runs; run++)      // the first is the warm-up
            {
                foreach (var name in Names)
                {
                    var (process, address) = children[name];
                    var document = await MeasureAsync(process, Documents, () => ReadDocumentsAsync(client, new Uri(address, "/document")));
                    var stream = await MeasureAsync(process, Streams * Events, () => ReadStreamsAsync(client, new Uri(address, Path)));
                    if (run >= 0)
                    {
                        documents[name].Add(document);
                        events[name].Add(stream);
                    }
                }
            }
        }
        finally
        {
            foreach (var (process, _) in children.Values)
            {
                await process.DisposeAsync();
            }
        }

        foreach (var name in Names)
        {
            Table.Print($"| {name} {Columns(documents, name)} {Columns(events, name)} |");
        }
    }

    private static string Path => string.Create(CultureInfo.InvariantCulture, $"/{Workload.Chat}/{Events}");

    private static string Columns(Dictionary<string, List<Sample>> samples, string name)
    {
        double Cpu(string of) => Medians.Of(samples[of], sample => sample.CpuNanoseconds);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Cpu(name):F0} | {Cpu(name) / Cpu(Between.Yarp):F2} | {Medians.Of(samples[name], sample => sample.AllocatedBytes):F0}");
    }

    private static async Task<Sample> MeasureAsync(Child process, int count, Func<Task> read)
    {
        await process.AskAsync(Serving.Reset);
        var begin = TimeProvider.System.GetTimestamp();
        await read();
        var elapsed = TimeProvider.System.GetElapsedTime(begin);
        var cost =
            Array.ConvertAll((await process.AskAsync(Serving.Cost)).Split(' '), text => double.Parse(text, CultureInfo.InvariantCulture));
        return new Sample(cost[0] / count, cost[1] / count, count / elapsed.TotalSeconds);
    }

    private static async Task ReadDocumentsAsync(HttpClient client, Uri document)
    {
        for (var n = 0; n < Documents; n++)
        {
            using var response = await client.GetAsync(document);
            await response.EnsureSuccessStatusCode().Content.CopyToAsync(Stream.Null);
        }
    }

    private static async Task ReadStreamsAsync(HttpClient client, Uri stream)
    {
        for (var n = 0; n < Streams; n++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, stream);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await response.EnsureSuccessStatusCode().Content.CopyToAsync(Stream.Null);
        }
    }
}
