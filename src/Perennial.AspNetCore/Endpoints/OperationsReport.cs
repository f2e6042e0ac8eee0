
using Perennial.AspNetCore.Delivery;

namespace Perennial.AspNetCore.Endpoints;

/// <summary>The status of this process, for operators.</summary>
/// <param name="Running">The number of runs that it produces.</param>
/// <param name="Readers">The number of readers that it serves, by form, of all runs.</param>
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

/// <summary>One run, named by its epoch, with which its event ids begin.</summary>
internal sealed record RunReport(string Run, string Status, DateTimeOffset StartedAt, long Events, Dictionary<string, int> Readers);
