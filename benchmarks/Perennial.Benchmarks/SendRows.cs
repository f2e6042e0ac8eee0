namespace Perennial.Benchmarks;

/// <summary>Messages to a run over <c>perennial.v1</c>, each acknowledged: sender on one core, server on the other.</summary>
internal static class SendRows
{
    private static readonly string[] Senders = [Sends.Floor, Sends.Perennial];

    public static async Task PrintAsync(int runs, Budgets budgets)
    {
        Console.WriteLine(
            $"CPU ns and allocated bytes of the sender per message of 250 B, 64 under way, medians of {runs} interleaved runs.");
        Console.WriteLine();
        Console.WriteLine("| sender | CPU ns | x floor | allocated B | messages/s |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        await using var server = Child.Ourselves(["receive"], core: 1);
        var run = await server.AnswerAsync();
        var samples = Senders.ToDictionary(sender => sender, _ => new List<Sample>(), StringComparer.Ordinal);
        var children =
            Senders.ToDictionary(sender => sender, sender => Child.Ourselves(["sends", sender, run], core: 0), StringComparer.Ordinal);
        try
        {
            for (var n = 0; n < runs; n++)
            {
                foreach (var sender in Senders)
                {
                    samples[sender].Add(Sample.FromLine(await children[sender].AskAsync("go")));
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

        var floor = Medians.Of(samples[Sends.Floor], sample => sample.CpuNanoseconds);
        foreach (var sender in Senders)
        {
            var cpu = Medians.Of(samples[sender], sample => sample.CpuNanoseconds);
            var allocated = Medians.Of(samples[sender], sample => sample.AllocatedBytes);
            Table.Print(
                $"| {sender} | {cpu:F0} | {cpu / floor:F2} | {allocated:F0} | {Medians.Of(samples[sender], sample => sample.MessagesPerSecond):N0} |");
        }

        budgets.Note(Budgets.Send, floor, rival: null, Medians.Of(samples[Sends.Perennial], sample => sample.CpuNanoseconds), 1.5 * floor);
    }
}
