using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Lets a delegate write a run and records how it ended. Cancels the delegate when the run ends otherwise, from whichever node.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source owns neither timer nor handle, and a late stop may still use it.")]
internal sealed class RunProducer(
    IRunLog log, Func<RunWriter, CancellationToken, Task> produce, RunOptions? options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan StoreRetryDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();

    public async Task<RunStatus> RunAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var activity = PerennialServerTelemetry.Activities.StartActivity("perennial.run");
        try
        {
            Log.Started(logger, log.Epoch);
            var watch = WatchAsync();
            var status = await ProduceAsync().ConfigureAwait(false);
            await CutOffAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
            Log.Ended(logger, log.Epoch, status);
            activity?.SetTag(PerennialServerTelemetry.Status, WireNames.Of(status));
            if (status == RunStatus.Failed)
                activity?.SetStatus(ActivityStatusCode.Error);
            return status;
        }
        catch (Exception e)
        {
            Log.StoreThrew(logger, log.Epoch, e);
            activity?.SetStatus(ActivityStatusCode.Error);
            await CutOffAsync().ConfigureAwait(false);
            return RunStatus.Failed;
        }
    }

    /// <summary>Cancels the producer and records no end, because the run has ended, or was cut off and did not end.</summary>
    public async Task CutOffAsync()
    {
        try
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException e)
        {
            Log.CancellationThrew(logger, log.Epoch, e);
        }
    }

    private async Task<RunStatus> ProduceAsync()
    {
        try
        {
            await produce(new RunWriter(log, _stop.Token, options?.MaxBytes), _stop.Token).ConfigureAwait(false);
            // A producer may leave its loop quietly when cancelled: after a stop the end stands, on shutdown there is none to claim.
            if (!_stop.IsCancellationRequested)
                return await log.CloseAsync(RunEnd.Completed, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (_stop.IsCancellationRequested)
        {
            Log.ThrewAfterCancellation(logger, log.Epoch, e);
        }
        catch (Exception e)
        {
            return await FailAsync(e).ConfigureAwait(false);
        }

        return (await log.GetStateAsync(CancellationToken.None).ConfigureAwait(false)).Status;
    }

    private ValueTask<RunStatus> FailAsync(Exception exception)
    {
        Log.ProducerThrew(logger, log.Epoch, exception);
        var (message, code) = exception is RunFailedException failure
            ? (failure.Message, failure.Code)
            : (RunFailedException.DefaultMessage, RunFailedException.DefaultCode);
        return log.CloseAsync(RunEnd.Failed(message, code), CancellationToken.None);
    }

    /// <summary>Learns of the end and of messages until the producer has returned. Messages are handled beside, so that a stop need not wait.</summary>
    private async Task WatchAsync()
    {
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Messages, news);
        await using var leaving = _stop.Token.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        var handling = options?.OnMessage is { } onMessage ? HandleMessagesAsync(onMessage) : Task.CompletedTask;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if ((await log.GetStateAsync(_stop.Token).ConfigureAwait(false)).Status != RunStatus.Running)
                    await CutOffAsync().ConfigureAwait(false);
                else
                    await news.WaitAsync().ConfigureAwait(false);
            }
            catch (RunStoreException e)
            {
                await PauseAsync(e).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The loop ends.
            }
        }

        await handling.ConfigureAwait(false);
    }

    /// <summary>Hands over each message once, in order, one at a time. One that cannot be handled fails the run.</summary>
    private async Task HandleMessagesAsync(Func<RunMessage, CancellationToken, Task> handle)
    {
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Messages, news);
        await using var leaving = _stop.Token.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        var position = 0L;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var messages = await log.ReadMessagesAsync(position, _stop.Token).ConfigureAwait(false);
                foreach (var message in messages)
                {
                    position = message.Position;
                    _stop.Token.ThrowIfCancellationRequested();
                    await handle(message, _stop.Token).ConfigureAwait(false);
                }

                if (messages.Count == 0)
                    await news.WaitAsync().ConfigureAwait(false);
            }
            catch (RunStoreException e)
            {
                await PauseAsync(e).ConfigureAwait(false);
            }
            catch (Exception e) when (_stop.IsCancellationRequested)
            {
                Log.ThrewAfterCancellation(logger, log.Epoch, e);
            }
            catch (Exception e)
            {
                await FailAsync(e).ConfigureAwait(false);
                return;
            }
        }
    }

    private async Task PauseAsync(RunStoreException cause)
    {
        Log.StoreThrew(logger, log.Epoch, cause);
        await Task.Delay(StoreRetryDelay, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
