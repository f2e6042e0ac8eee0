using System.Diagnostics;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Keeps one logical stream alive over many short-lived connections: open, pump, and after a loss decide, wait and open again,
/// until the stream ends, the caller leaves or attempts are spent.
/// </summary>
internal sealed class ConnectionLoop(TransportCore core, TransportSession session, Transport transport) : IThreadPoolWorkItem
{
    /// <summary>How long a connection may take to close before it is left behind.</summary>
    public static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly ReconnectPolicy _retry = new(core.Options.Reconnect, core.Services.Random);

    /// <summary>Runs the loop on the thread pool, and without the ambient context of whoever happened to come first.</summary>
    public void Start() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        core.Metrics.ConnectStarted();
        StreamEnd? end = null;
        while (end is null)
        {
            try
            {
                end = await ConnectAndPumpAsync(session.Stop).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                end = await EndOrWaitAsync(e).ConfigureAwait(false);
            }
        }

        Finish(end);
        session.SetOver();
    }

    /// <summary>After a failure: how the stream ends with it, or <see langword="null"/> after the wait before another try.</summary>
    private async Task<StreamEnd?> EndOrWaitAsync(Exception failure)
    {
        try
        {
            if (session.Stop.IsCancellationRequested)
            {
                return StreamEnd.ClosedByCaller;
            }

            var (delay, error) = _retry.AfterFailure(AsTransportException(failure));
            core.Metrics.TryFailed(_retry.Failures);
            if (delay is not { } wait)
            {
                var reason = error.Code == TransportErrorCode.Interrupted ? StreamEndReason.Interrupted : StreamEndReason.Failed;
                return new StreamEnd(reason, error);
            }

            await WaitToReconnectAsync(error, wait).ConfigureAwait(false);
            return null;
        }
        catch (Exception) when (session.Stop.IsCancellationRequested)
        {
            return StreamEnd.ClosedByCaller;
        }
        catch (Exception e)
        {
            return new StreamEnd(StreamEndReason.Failed, AsTransportException(e));      // the caller's ShouldRetry threw
        }
    }

    private async Task WaitToReconnectAsync(TransportException error, TimeSpan wait)
    {
        core.Report(error, isRecoverable: true, _retry.Failures);
        core.Life.TryEnter(TransportState.Reconnecting);
        core.Metrics.Reconnecting(error.Code);
        Log.Retrying(core.Logger, core.Kind, core.Id, error.Code, _retry.Failures, wait);
        core.Events.Post(new ReconnectingEvent(_retry.Failures, wait, core.Options.Reconnect.MaxAttempts));
        await Task.Delay(wait, core.Time, session.Stop).ConfigureAwait(false);
    }

    private async Task<StreamEnd> ConnectAndPumpAsync(CancellationToken stop)
    {
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var resumeFrom = core.Cursor.Value;
        var connection = core.Services.Breakers is { } breakers
            ? await breakers.For(core.Options.Endpoint).OpenAsync(() => OpenAsync(resumeFrom, lifetime), core.Options.ConnectTimeout, stop).ConfigureAwait(false)
            : await OpenAsync(resumeFrom, lifetime).ConfigureAwait(false);
        try
        {
            core.Life.TryEnter(TransportState.Connected);
            core.Connection.Put(connection);
            core.Metrics.Connected(isResume: _retry.Failures > 0 && resumeFrom is not null);
            core.Events.Post(new ConnectedEvent(_retry.Failures, resumeFrom));
            session.SetConnected();
            return await PumpAsync(connection, resumeFrom, lifetime).ConfigureAwait(false);
        }
        finally
        {
            core.Connection.Clear();
            core.Metrics.Disconnected();
            lifetime.CancelQuietly();
            await CloseAsync(connection).ConfigureAwait(false);
        }
    }

    private async Task<TransportConnection> OpenAsync(string? resumeFrom, CancellationTokenSource lifetime)
    {
        core.Events.Post(new ConnectingEvent(_retry.Failures));
        using var activity = PerennialTelemetry.Activities.StartActivity(
            ActivityKind.Client, name: "perennial.connect", links: session.StartedIn is { } starter ? [new ActivityLink(starter)] : null);
        activity?.SetTag("perennial.transport", core.Kind)
            .SetTag("server.address", core.Options.Endpoint.Host)
            .SetTag("server.port", core.Options.Endpoint.Port)
            .SetTag("perennial.attempt", _retry.Failures);
        using var timer = new CancellationTokenSource(core.Options.ConnectTimeout, core.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(lifetime.Token, timer.Token);
        try
        {
            return await OpenWithinAsync(new ConnectContext(_retry.Failures, resumeFrom, core.HasDelivered), limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !lifetime.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", nameof(TransportErrorCode.ConnectTimeout));
            throw new TransportException(
                TransportErrorCode.ConnectTimeout, $"No answer from {core.Options.Endpoint.Host} within {core.Options.ConnectTimeout}.", isTransient: true, e);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", ((e as TransportException)?.Code ?? TransportErrorCode.Unexpected).ToString());
            throw;
        }
    }

    /// <summary>The limit holds for code that ignores its token, too: such an attempt is left behind.</summary>
    private async Task<TransportConnection> OpenWithinAsync(ConnectContext context, CancellationToken limit)
    {
        var opening = transport.OpenForAsync(context, limit).AsTask();
        try
        {
            return await opening.WaitAsync(limit).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _ = CloseLateAsync(opening);
            throw;
        }
    }

    /// <summary>Closes a connection that nobody waits for any more, should it come.</summary>
    private async Task CloseLateAsync(Task<TransportConnection> opening)
    {
        try
        {
            await CloseAsync(await opening.ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The attempt failed after it was given up.
        }
    }

    private async Task<StreamEnd> PumpAsync(TransportConnection connection, string? resumeFrom, CancellationTokenSource lifetime)
    {
        var since = core.Time.GetTimestamp();
        var idle = new IdleWatch(IdleLimitFor(connection), lifetime, core.Time, core.Metrics);
        connection.Begin(idle, core.Options.IdleTimeout is null);
        var pump = new ConnectionPump(core, connection, idle, _retry);
        try
        {
            await using (idle.ConfigureAwait(false))
            {
                AnnounceInexactResume(resumeFrom);
                LoseRepliesUnlessResumed(connection, resumeFrom);
                var end = await pump.RunAsync(lifetime.Token).ConfigureAwait(false);
                return end ?? MeaningOfCleanEnd(connection);
            }
        }
        catch (Exception e) when (!session.Stop.IsCancellationRequested)
        {
            if (pump.HasDelivered || connection.HasMadeProgress || core.Time.GetElapsedTime(since) >= core.Options.Reconnect.StableAfter)
            {
                _retry.Clear();
            }

            var error = idle.HasFired ? IdleError(idle.Limit, e) : AsTransportException(e);
            throw error.IsTransient && !connection.CanBeResumed
                ? error.AsFinal(TransportErrorCode.Interrupted, $"Interrupted: the request must not be repeated. {error.Message}")
                : error;
        }
        finally
        {
            core.HasDelivered |= pump.HasDelivered;
        }
    }

    /// <summary>Says once before the next message, however many connections it takes, that resuming is not exact.</summary>
    private void AnnounceInexactResume(string? resumeFrom)
    {
        if (!core.Cursor.IsExact && !core.Cursor.IsBeforeGap)
        {
            core.Cursor.IsBeforeGap = true;
            core.ReportGap(new GapEvent(GapReason.NotNumbered, resumeFrom, ResumesAt: null));
        }
    }

    /// <summary>
    /// Replies from before this connection come again only where the stream goes on exactly: after an id, or from its start against a
    /// server that is known to keep it.
    /// </summary>
    private void LoseRepliesUnlessResumed(TransportConnection connection, string? resumeFrom)
    {
        if (!core.Cursor.IsExact || (resumeFrom is null && !connection.AlwaysMarksEnd))
        {
            core.Requests?.LoseRepliesBefore(connection.Number);
        }
    }

    private StreamEnd MeaningOfCleanEnd(TransportConnection connection)
    {
        var policy = connection.AlwaysMarksEnd ? EndOfStreamPolicy.RequireMarker : core.Options.EndOfStream;
        return policy == EndOfStreamPolicy.Complete
            ? StreamEnd.Completed
            : throw new TransportException(
                TransportErrorCode.EndedWithoutMarker, "The connection ended, but the stream had not.", isTransient: true);
    }

    private TimeSpan IdleLimitFor(TransportConnection connection) =>
        core.Options.IdleTimeout ?? connection.LongestSilence ?? TimeSpan.FromMinutes(5);

    private async Task CloseAsync(TransportConnection connection)
    {
        try
        {
            await connection.DisposeAsync().AsTask().WaitAsync(CloseLimit, core.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // How a connection closes changes nothing about how the stream ended.
            Log.CloseFailed(core.Logger, core.Kind, core.Id, e.GetType().Name);
        }
    }

    private void Finish(StreamEnd end)
    {
        ErrorEvent? last = null;
        if (end.Error is { } error)
        {
            last = core.Describe(error, isRecoverable: false, _retry.Failures);
            Log.Failed(core.Logger, core.Kind, core.Id, error.Code, error);
        }

        core.Life.End(end, last);
        core.Requests?.End(session, end);
    }

    private static TransportException IdleError(TimeSpan limit, Exception cause) =>
        new(TransportErrorCode.IdleTimeout, $"No byte, not even a heartbeat, within {limit}.", isTransient: true, cause);

    private static TransportException AsTransportException(Exception e) =>
        e as TransportException
        ?? new TransportException(TransportErrorCode.Unexpected, $"{e.GetType().Name} outside the transport's own code.", isTransient: false, e);
}
