using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>
/// Calls the delegate that writes a run, and records how the run ended. Cancels the delegate if the run is ended by any node, or taken over
/// by another.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The source owns neither timer nor handle, and a late stop may still use it.")]
internal sealed class RunProducer(
    RunLog log, Func<RunWriter, CancellationToken, Task> produce, RunOptions? options, TimeProvider time, ILogger logger)
{
    private const int MostEndAttempts = 30;

    private static readonly TimeSpan StoreRetryDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private volatile Exception? _unhandled;     // why a message was not handled; then the run has failed, even if the producer completes

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
            Log.Ended(logger, log.Epoch, status.ToString());
            activity?.SetTag(PerennialServerTelemetry.Status, status.Name());
            if (status == RunStatus.Failed)
            {
                activity?.SetStatus(ActivityStatusCode.Error);
            }

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

    /// <summary>
    /// Cancels the producer without recording an end: the run has ended already, or the host stops and the run has no end.
    /// </summary>
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
            var writer = new RunWriter(log, _stop.Token, options?.MaxBytes);
            await produce(writer, _stop.Token).ConfigureAwait(false);
            // A cancelled producer may return without an exception. After a stop the end is recorded already; on shutdown the run has no
            // end.
            if (!_stop.IsCancellationRequested && _unhandled is null)
            {
                await CompleteDialectAsync(writer).ConfigureAwait(false);
                return await log.CloseAsync(RunEnd.Completed, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested)
        {
            Log.ThrewAfterCancellation(logger, log.Epoch, e);
        }
        catch (Exception e)
        {
            return await FailAsync(e).ConfigureAwait(false);
        }

        if (_unhandled is not null)
        {
            return await FailUnhandledAsync(_unhandled).ConfigureAwait(false);
        }

        return (await log.GetStateAsync(CancellationToken.None).ConfigureAwait(false)).Status;
    }

    /// <summary>Writes the end of the run's dialect, unless the producer has written it.</summary>
    /// <exception cref="RunFailedException">The events have an error of the dialect, or its end cannot be made up.</exception>
    private async ValueTask CompleteDialectAsync(RunWriter writer)
    {
        if (options?.Dialect is not { } dialect)
        {
            return;
        }

        var recorded = await RecordedDialect.ReadAsync(log, dialect, CancellationToken.None).ConfigureAwait(false);
        if (recorded.Error is { } error)
        {
            throw new RunFailedException(error.Message ?? RunFailedException.DefaultMessage, error.Code ?? RunFailedException.DefaultCode);
        }

        var end = recorded.SpellEnd()
            ?? throw new RunFailedException("The run ended without the end of its dialect.", RunFailedException.EndMissing);
        foreach (var item in end)
        {
            await writer.WriteAsync(item.Data, item.EventType, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private ValueTask<RunStatus> FailAsync(Exception exception)
    {
        Log.ProducerThrew(logger, log.Epoch, exception);
        return log.CloseAsync(EndOf(exception), CancellationToken.None);
    }

    private static RunEnd EndOf(Exception exception) => exception is RunFailedException failure
        ? RunEnd.Failed(failure.Message, failure.Code)
        : RunEnd.Failed(RunFailedException.DefaultMessage, RunFailedException.DefaultCode);

    /// <summary>
    /// Watches the run's end and its messages until the producer has returned. Messages are handled by another task, so that a stop does
    /// not wait.
    /// </summary>
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
                if (log.IsFenced || (await log.GetStateAsync(_stop.Token).ConfigureAwait(false)).Status != RunStatus.Running)
                {
                    await CutOffAsync().ConfigureAwait(false);
                }
                else
                {
                    await news.WaitAsync().ConfigureAwait(false);
                }
            }
            catch (RunStoreException e)
            {
                await PauseAsync(e, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The loop ends.
            }
        }

        await handling.ConfigureAwait(false);
    }

    /// <summary>Delivers each message once, in order, one at a time. A message that cannot be handled fails the run.</summary>
    private async Task HandleMessagesAsync(Func<RunMessage, CancellationToken, Task> handle)
    {
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Messages, news);
        await using var leaving = _stop.Token.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        for (var position = 0L; !_stop.IsCancellationRequested;)
        {
            var messages = await ReadMessagesAsync(position).ConfigureAwait(false);
            foreach (var message in messages)
            {
                position = message.Position;
                if (!await TryHandleAsync(message, handle).ConfigureAwait(false))
                {
                    return;
                }
            }

            if (messages.Count == 0)
            {
                await news.WaitAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits for messages after a position. Empty if the producer must stop.</summary>
    private async Task<IReadOnlyList<RunMessage>> ReadMessagesAsync(long position)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                return await log.ReadMessagesAsync(position, _stop.Token).ConfigureAwait(false);
            }
            catch (RunStoreException e)
            {
                await PauseAsync(e, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The loop ends.
            }
        }

        return [];
    }

    /// <summary>Handles an acknowledged message. Returns false if it cannot be handled, which fails the run.</summary>
    private async Task<bool> TryHandleAsync(RunMessage message, Func<RunMessage, CancellationToken, Task> handle)
    {
        if (_stop.IsCancellationRequested)
        {
            return false;
        }

        try
        {
            await handle(message, _stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (_stop.IsCancellationRequested)
        {
            Log.ThrewAfterCancellation(logger, log.Epoch, e);
        }
        catch (Exception e)
        {
            Log.MessageNotHandled(logger, log.Epoch, e);
            _unhandled = e;
            await FailUnhandledAsync(e).ConfigureAwait(false);
            await CutOffAsync().ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>
    /// Records that the run has failed, and retries until the store is available, so that no reader takes the run for complete.
    /// </summary>
    private async Task<RunStatus> FailUnhandledAsync(Exception exception)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await log.CloseAsync(EndOf(exception), CancellationToken.None).ConfigureAwait(false);
            }
            catch (RunStoreException e) when (attempt < MostEndAttempts)
            {
                await CutOffAsync().ConfigureAwait(false);
                await PauseAsync(e, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task PauseAsync(RunStoreException cause, CancellationToken stop)
    {
        Log.StoreThrew(logger, log.Epoch, cause);
        await Task.Delay(StoreRetryDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
