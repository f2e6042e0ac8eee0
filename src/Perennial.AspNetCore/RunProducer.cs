using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Lets a delegate write a run and records how it ended. Cancels the delegate when the run ends otherwise, from whichever node.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source owns neither timer nor handle, and a late stop may still use it.")]
internal sealed class RunProducer(string epoch, ILogger logger)
{
    private readonly CancellationTokenSource _stop = new();
    private readonly RunSignal _news = new();
    private volatile bool _hasLeft;

    public async Task<RunStatus> RunAsync(Task<IRunLog> creation, Func<RunWriter, CancellationToken, Task> produce)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            var log = await creation.ConfigureAwait(false);
            Log.Started(logger, epoch);
            var watch = WatchAsync(log);
            var status = await ProduceAsync(log, produce).ConfigureAwait(false);
            _hasLeft = true;
            _news.Set();
            await watch.ConfigureAwait(false);
            Log.Ended(logger, epoch, status);
            return status;
        }
        catch (Exception e)
        {
            Log.StoreThrew(logger, epoch, e);
            return RunStatus.Failed;
        }
    }

    /// <summary>Cancels the producer and records no end, because the run was cut off and did not end.</summary>
    public async Task CutOffAsync()
    {
        try
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException e)
        {
            Log.CancellationThrew(logger, epoch, e);
        }
    }

    private async Task<RunStatus> ProduceAsync(IRunLog log, Func<RunWriter, CancellationToken, Task> produce)
    {
        try
        {
            await produce(new RunWriter(log, _stop.Token), _stop.Token).ConfigureAwait(false);
            // A producer may leave its loop quietly when cancelled: after a stop the end stands, on shutdown there is none to claim.
            if (!_stop.IsCancellationRequested)
                return await log.CloseAsync(RunEnd.Completed, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (_stop.IsCancellationRequested)
        {
            Log.ThrewAfterCancellation(logger, epoch, e);
        }
        catch (Exception e)
        {
            return await FailAsync(log, e).ConfigureAwait(false);
        }

        return (await log.GetStateAsync(CancellationToken.None).ConfigureAwait(false)).Status;
    }

    private ValueTask<RunStatus> FailAsync(IRunLog log, Exception exception)
    {
        Log.ProducerThrew(logger, epoch, exception);
        var (message, code) = exception is RunFailedException failure
            ? (failure.Message, failure.Code)
            : (RunFailedException.DefaultMessage, RunFailedException.DefaultCode);
        return log.CloseAsync(RunEnd.Failed(message, code), CancellationToken.None);
    }

    private async Task WatchAsync(IRunLog log)
    {
        using var subscription = log.Subscribe(RunNews.Messages, _news);
        while (!_hasLeft)
        {
            if ((await log.GetStateAsync(CancellationToken.None).ConfigureAwait(false)).Status != RunStatus.Running)
            {
                await CutOffAsync().ConfigureAwait(false);
                return;
            }

            await _news.WaitAsync().ConfigureAwait(false);
        }
    }
}
