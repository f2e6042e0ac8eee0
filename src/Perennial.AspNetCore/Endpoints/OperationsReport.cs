
using Perennial.AspNetCore.Delivery;

namespace Perennial.AspNetCore.Endpoints;

/// <summary>What this process does, for operators.</summary>
/// <param name="Running">How many runs it produces.</param>
/// <param name="Readers">How many readers it serves, by form, of whichever runs.</param>
/// <param name="Runs">The newest of its runs.</param>
internal sealed record OperationsReport(int Running, Dictionary<string, int> Readers, List<RunReport> Runs)
{
    private const int Most = 1000;

    public static async Task<OperationsReport> MakeAsync(StreamRuns runs, ReaderPlaces readers, CancellationToken cancellationToken)
    {
        var started = runs.Started.OrderByDescending(run => run.StartedAt).ToList();
        var reports = new List<RunReport>();
        foreach (var run in started.Take(Most))
        {
            var state = await run.Events.GetStateAsync(cancellationToken);
            reports.Add(new RunReport(run.Epoch, state.Status.Name(), run.StartedAt, state.Tail, readers.CountByKind(run.Id)));
        }

        return new OperationsReport(started.Count, readers.CountByKind(), reports);
    }
}

/// <summary>One run, by what its event ids begin with.</summary>
internal sealed record RunReport(string Run, string Status, DateTimeOffset StartedAt, long Events, Dictionary<string, int> Readers);
