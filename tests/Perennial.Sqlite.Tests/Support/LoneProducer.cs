using System.Globalization;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.Sqlite.Tests.Support;

/// <summary>
/// A process of its own, which writes numbers to a run until it is killed. It prints the run's id, and each number once it is confirmed.
/// </summary>
internal static class LoneProducer
{
    /// <summary>The resumption that its run names.</summary>
    public const string Resumption = "numbers";

    public static async Task<int> RunAsync(string path, bool isResumable)
    {
        var store = StoreFile.Create(path);
        await store.StartingAsync(CancellationToken.None);
        var run = await store.CreateAsync(new NewRun
        {
            Id = Guid.NewGuid().ToString("N"),
            Epoch = "lonelone",
            Description = isResumable ? new RunDescription { ResumeWith = Resumption } : RunDescription.None,
        }, CancellationToken.None);
        await Console.Out.WriteLineAsync(run.Id);
        for (var n = 1; ; n++)
        {
            if ((await run.AppendAsync(RunReading.Number(n), CancellationToken.None)).Outcome != AppendOutcome.Appended)
            {
                return 1;
            }

            Console.WriteLine(n.ToString(CultureInfo.InvariantCulture));
        }
    }
}
