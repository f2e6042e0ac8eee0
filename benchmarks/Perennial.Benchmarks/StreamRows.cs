namespace Perennial.Benchmarks;

/// <summary>One stream read to its end by each reader in turns: sender on one core, reader on the other.</summary>
internal static class StreamRows
{
    private const int ReaderCore = 0;

    public static async Task PrintAsync(string server, string hub, int runs, Budgets budgets)
    {
        Console.WriteLine(
            $"CPU ns and allocated bytes per message, medians of {runs} interleaved runs; reader on one core, sender on the other.");
        Console.WriteLine();
        Console.WriteLine("| workload | reader | CPU ns | x floor | x hand-rolled | allocated B | messages/s |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        foreach (var workload in Workload.All)
        {
            string[] readers = [.. Readers.Of(workload), .. Peers.Of(workload)];
            var samples = await MeasureAsync(readers, reader => Start(reader, workload, server, hub, ReaderCore), runs);
            Print(workload.Name, readers, samples);
            Note(workload, readers, samples, budgets);
        }

        var blocks = Workload.All[0];
        string[] unbound = [.. Readers.Of(blocks)[..3]];
        var anywhere = await MeasureAsync(unbound, reader => Start(reader, blocks, server, hub, core: null), runs);
        Print($"{blocks.Name}, both cores", unbound, anywhere);
        NoteRow(Budgets.SseBlocksAnyCore, unbound, anywhere, ofRival: 0.5, budgets);
    }

    private static Child Start(string reader, Workload workload, string server, string hub, int? core) => Peers.IsPeer(reader)
        ? Child.Start(Peers.Start(reader, workload, server, hub), core)
        : Child.Ourselves(["measure", reader, workload.Name, server], core);

    private static void Print(string name, string[] readers, Dictionary<string, List<Sample>> samples)
    {
        var (floor, handRolled) = (Cpu(samples[readers[0]]), Cpu(samples[readers[1]]));
        foreach (var reader in readers)
        {
            var cpu = Cpu(samples[reader]);
            var allocated = Medians.Of(samples[reader], sample => sample.AllocatedBytes);
            var rate = Medians.Of(samples[reader], sample => sample.MessagesPerSecond);
            Table.Print($"| {name} | {reader} | {cpu:F0} | {cpu / floor:F2} | {cpu / handRolled:F2} | {allocated:F0} | {rate:N0} |");
        }
    }

    private static void Note(Workload workload, string[] readers, Dictionary<string, List<Sample>> samples, Budgets budgets)
    {
        switch (workload.Name)
        {
            case "sse-250-blocks":
                NoteRow(Budgets.SseBlocks, readers, samples, ofRival: 0.65, budgets);
                var beyond = Array.ConvertAll(
                    readers[1..3], reader => Medians.Of(samples[reader], sample => sample.AllocatedBytes) - workload.DataSize);
                budgets.Note(Budgets.Allocated, floor: null, beyond[0], beyond[1], most: 16);
                break;
            case "sse-250-chunks":
                NoteFloor(Budgets.SseChunks, readers, samples, ofFloor: 1.6, budgets);
                break;
            case "sse-30-blocks":
                NoteRow(Budgets.SseTokens, readers, samples, ofRival: 0.5, budgets);
                break;
            case "ndjson-250-chunks":
                NoteRow(Budgets.JsonLinesChunks, readers, samples, ofRival: 0.75, budgets);
                break;
            case "websocket-250-text":
                NoteFloor(Budgets.WebSocketText, readers, samples, ofFloor: 1.1, budgets);
                break;
            case Workload.Chat:
                NoteRow(Budgets.Dialect, readers, samples, ofRival: 1.05, budgets);
                break;
            case "sse-250-json":
                NoteRow(Budgets.TypedJson, readers, samples, ofRival: 0.85, budgets);
                break;
        }
    }

    private static void NoteRow(string work, string[] readers, Dictionary<string, List<Sample>> samples, double ofRival, Budgets budgets)
    {
        var rival = Cpu(samples[readers[1]]);
        budgets.Note(work, Cpu(samples[readers[0]]), rival, Cpu(samples[readers[2]]), ofRival * rival);
    }

    private static void NoteFloor(string work, string[] readers, Dictionary<string, List<Sample>> samples, double ofFloor, Budgets budgets)
    {
        var floor = Cpu(samples[readers[0]]);
        budgets.Note(work, floor, Cpu(samples[readers[1]]), Cpu(samples[readers[2]]), ofFloor * floor);
    }

    private static double Cpu(List<Sample> samples) => Medians.Of(samples, sample => sample.CpuNanoseconds);

    /// <summary>Starts all readers, and lets one after the other read, again and again.</summary>
    private static async Task<Dictionary<string, List<Sample>>> MeasureAsync(string[] readers, Func<string, Child> start, int runs)
    {
        var samples = readers.ToDictionary(reader => reader, _ => new List<Sample>(), StringComparer.Ordinal);
        var children = new Dictionary<string, Child>(StringComparer.Ordinal);
        try
        {
            for (var run = 0; run < runs; run++)
            {
                foreach (var reader in readers)
                {
                    if (!children.TryGetValue(reader, out var child))
                    {
                        children[reader] = child = start(reader);
                    }

                    samples[reader].Add(Sample.FromLine(await child.AskAsync("go")));
                }
            }
        }
        finally
        {
            foreach (var child in children.Values)
            {
                await child.DisposeAsync();
            }
        }

        return samples;
    }
}
