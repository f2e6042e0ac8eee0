using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>Asks the store for runs whose producer is gone, and goes on with them.</summary>
/// <remarks>
/// Without a resumption the store is asked once, because a store of one process ends the runs that nobody can resume only then.
/// </remarks>
internal sealed class ResumptionService(
    RunStore store, StreamRuns runs, IOptions<Resumptions> resumptions, IOptions<PerennialServerOptions> options, IServiceProvider services,
    TimeProvider time, ILogger<StreamRuns> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Resumptions _resumptions = resumptions.Value;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var isDone = false;
        while (!isDone && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TakeOverAsync(stoppingToken).ConfigureAwait(false);
                isDone = _resumptions.Names.Count == 0;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Log.NotTakenOver(logger, e);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (!isDone)
            {
                await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task TakeOverAsync(CancellationToken stop)
    {
        var free = runs.Produced.FreePlaces;
        if (free == 0 && _resumptions.Names.Count > 0)
        {
            return;
        }

        foreach (var log in await store.TakeOverAsync(_resumptions.Names, free, stop).ConfigureAwait(false))
        {
            await ResumeAsync(log).ConfigureAwait(false);
        }
    }

    private async Task ResumeAsync(RunLog log)
    {
        var dialect = log.Dialect is null ? null : options.Value.FindDialect(log.Dialect);
        if (log.Dialect is not null && dialect is null)
        {
            Log.DialectUnknown(logger, log.Epoch, log.Dialect);
            await log.CloseAsync(RunEnd.ProducerLost, CancellationToken.None).ConfigureAwait(false);
            return;
        }

        Log.Resumed(logger, log.Epoch);
        var resume = _resumptions[log.Description.ResumeWith!];
        var recorded = (await log.GetStateAsync(CancellationToken.None).ConfigureAwait(false)).Tail;
        runs.Produced.TakePlace();
        runs.Produced.Launch(
            log,
            (writer, stop) => resume(new ResumedRun(new StreamRun(log), writer, services, recorded, stop), stop),
            new RunOptions { Dialect = dialect });
    }
}
