using System.Text;
using Perennial.AspNetCore.Stores;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>A node in a process of its own, which writes numbers to a run until it is killed.</summary>
internal static class LoneProducer
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string connectionString, string space, string id)
    {
        var store = Nodes.Create(connectionString, space, configure: options => options.LeaseDuration = Lease);
        await store.StartingAsync(CancellationToken.None);
        var run = await store.CreateAsync(new NewRun { Id = id, Epoch = "lonelone" }, CancellationToken.None);
        for (var n = 1; ; n++)
        {
            var item = new RunEvent { Data = Encoding.UTF8.GetBytes($"{n}"), Kind = RunDataKind.Text };
            if ((await run.AppendAsync(item, CancellationToken.None)).Outcome != AppendOutcome.Appended)
            {
                return 1;
            }

            Console.WriteLine(n);
        }
    }
}
