using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.SignalR;

namespace Perennial.Benchmarks;

/// <summary>The stream of a workload as SignalR sends it: each message an item of a hub method's stream.</summary>
internal sealed class SendingHub : Hub
{
    [SuppressMessage("Performance", "CA1822", Justification = "SignalR calls methods of the instance.")]
    public async IAsyncEnumerable<string> Send(string workload, int count)
    {
        var text = Workload.Named(workload).Text();
        for (var i = 0; i < count; i++)
        {
            yield return text;
        }

        await Task.CompletedTask;
    }
}
