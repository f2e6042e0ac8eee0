using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Keeps one stream alive over many connections: opens a connection and reads it; after a loss decides, waits and opens another, until the
/// stream ends, the caller closes the transport, or all attempts failed.
/// </summary>
internal sealed class ConnectionLoop(
    TransportCore core, TransportSession session, ConnectionOpener open, ISendQueue sends) : IThreadPoolWorkItem
{
    /// <summary>The longest time to wait for a connection to close.</summary>
    public static readonly TimeSpan CloseLimit = TransportConnection.CloseLimit;

    private readonly ReconnectPolicy _retry = new(core.Options.ReconnectRules, core.Services.Random);
    private CancellationTokenSource _lifetime = session.NewLifetime();      // for one delay, the attempt after it and its connection
    private OfflineWait? _offline;          // created by the first failure
    private TransportConnection? _connection;
    private ConnectionPump? _pump;

    /// <summary>Runs the loop on the thread pool, without the ambient context (ExecutionContext) of the first caller.</summary>
    public void Start() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    /// <summary>
    /// The loop. While a stream waits, this method and the pump's are its only async state, so local variables for connecting and closing
    /// belong in other methods.
    /// </summary>
    private async Task RunAsync()
    {
        StreamEnd? end = null;
        while (end is null)
        {
            try
            {
                await ConnectAsync().ConfigureAwait(false);
                end = await _pump!.RunAsync(_lifetime.Token).ConfigureAwait(false);
                await LeaveAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                end = await EndOrWaitAsync(e).ConfigureAwait(false);
            }
        }

        Finish(end);
    }

    /// <summary>
    /// Handles a failure. Returns how the stream ended, or <see langword="null"/> after the delay before another attempt.
    /// </summary>
    private async Task<StreamEnd?> EndOrWaitAsync(Exception failure)
    {
        try
        {
            await LeaveAsync().ConfigureAwait(false);
            if (session.IsLeft)
            {
                return StreamEnd.ClosedByCaller;
            }

            var known = TransportException.From(failure);
            var (delay, error) = _retry.AfterFailure(known, (_offline ??= new OfflineWait(core)).Excuses(known));
            core.Metrics.TryFailed(_retry.Failures);
            if (delay is not { } wait)
            {
                var reason = error.Code == TransportErrorCode.Interrupted ? StreamEndReason.Interrupted : StreamEndReason.Failed;
                return new StreamEnd { Reason = reason, Error = error };
            }

            await WaitToReconnectAsync(error, wait).ConfigureAwait(false);
            return null;
        }
        catch (Exception) when (session.IsLeft)
        {
            return StreamEnd.ClosedByCaller;
        }
        catch (Exception e)
        {
            return new StreamEnd
            {
                Reason = StreamEndReason.Failed,
                Error = TransportException.From(e),
            };      // application code: ShouldRetry, a listener
        }
    }

    private async Task WaitToReconnectAsync(TransportException error, TimeSpan wait)
    {
        core.Report(error, isRecoverable: true, _retry.Failures);
        session.SetReconnecting();
        core.Life.TryEnter(TransportState.Reconnecting);
        core.Metrics.Reconnecting(error.Code);
        Log.Retrying(core.Logger, core.Kind, core.Id, error.Code, _retry.Failures, wait);
        core.Events?.Post(new ReconnectingEvent
        {
            Attempt = _retry.Failures,
            Delay = wait,
            MaxAttempts = core.Options.ReconnectRules.MaxAttempts,
        });
        _lifetime = session.NewLifetime();
        await Task.Delay(wait, core.Time, _lifetime.Token).ConfigureAwait(false);
        await _offline!.WaitAsync(_lifetime.Token).ConfigureAwait(false);
    }

    private async Task ConnectAsync()
    {
        core.Metrics.ConnectStarted();
        var resumeFrom = core.Cursor.Value;
        var connection = await (core.Services.Breakers is { } breakers
            ? OpenUnlessBrokenAsync(breakers, resumeFrom)
            : OpenAsync(resumeFrom)).ConfigureAwait(false);
        _connection = connection;
        core.Life.TryEnter(TransportState.Connected);
        core.UseResumeEndpointOf(connection);
        core.Connection.Put(connection);
        core.Metrics.Connected(isResume: _retry.Failures > 0 && resumeFrom is not null);
        core.Events?.Post(new ConnectedEvent { Attempt = _retry.Failures, ResumedFrom = resumeFrom });
        session.SetConnected();
        var idle = new IdleWatch(IdleLimitFor(connection), _lifetime, core.Time, core.Metrics);
        _pump = new ConnectionPump(core, session, connection, idle, _retry);
        connection.Begin(idle, core.Options.IdleTimeout is null, sends);
        AnnounceInexactResume(resumeFrom);
        LoseRepliesUnlessResumed(connection, resumeFrom);
        sends.Wake();
    }

    private Task<TransportConnection> OpenUnlessBrokenAsync(OriginBreakers breakers, string? resumeFrom) =>
        breakers.For(core.Options.Endpoint).OpenAsync(
            core.Options.Endpoint.AbsolutePath, () => OpenAsync(resumeFrom), core.Options.ConnectTimeout, _lifetime.Token);

    private async Task<TransportConnection> OpenAsync(string? resumeFrom)
    {
        core.Events?.Post(new ConnectingEvent { Attempt = _retry.Failures });
        using var activity = new ConnectActivity(session.Links, core.Metrics);
        activity.Describe(core.Kind, core.Options.Endpoint, _retry.Failures);
        using var limit = new CancellationTokenSource(core.Options.ConnectTimeout, core.Time);
        using var leaving = _lifetime.Token.UnsafeRegister(static limit => ((CancellationTokenSource)limit!).CancelQuietly(), limit);
        Task<TransportConnection>? opening = null;
        try
        {
            opening = open(new ConnectContext
            {
                Attempt = _retry.Failures,
                LastEventId = resumeFrom,
                HasDelivered = core.HasDelivered,
            }, limit.Token).AsTask();
            return await opening.WaitAsync(limit.Token).ConfigureAwait(false);      // also ends the wait for code that ignores its token
        }
        catch (Exception e)
        {
            _ = CloseLateAsync(opening);
            var error = e is OperationCanceledException && limit.IsCancellationRequested && !session.IsLeft ? ConnectTimeout(e) : e;
            activity.Fail(error);
            if (ReferenceEquals(error, e))
            {
                throw;
            }

            throw error;
        }
    }

    /// <summary>Closes a connection that was opened after its attempt had timed out or was cancelled.</summary>
    private async Task CloseLateAsync(Task<TransportConnection>? opening)
    {
        try
        {
            if (opening is not null)
            {
                await CloseAsync(await opening.ConfigureAwait(false)).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The attempt failed, either at once or after the wait for it had ended.
        }
    }

    /// <summary>Announces, once before the next message, over however many connections, that resuming is not exact.</summary>
    private void AnnounceInexactResume(string? resumeFrom)
    {
        if (!core.Cursor.IsExact && !core.Cursor.IsBeforeGap)
        {
            core.Cursor.IsBeforeGap = true;
            core.ReportGap(new GapEvent { Reason = GapReason.NotNumbered, RequestedId = resumeFrom });
        }
    }

    /// <summary>
    /// Fails the requests whose replies may be lost. Replies sent before this connection arrive again only if the stream continues exactly:
    /// after an id, or from its start if the server is known to keep it.
    /// </summary>
    private void LoseRepliesUnlessResumed(TransportConnection connection, string? resumeFrom)
    {
        if (!core.Cursor.IsExact || (resumeFrom is null && !connection.AlwaysMarksEnd))
        {
            core.Requests?.LoseRepliesBefore(connection.Number);
        }
    }

    private TimeSpan IdleLimitFor(TransportConnection connection) =>
        core.Options.IdleTimeout ?? connection.LongestSilence ?? TimeSpan.FromMinutes(5);

    /// <summary>Closes the connection, if there is one.</summary>
    private async Task LeaveAsync()
    {
        if (_connection is not { } connection)
        {
            return;
        }

        _connection = null;
        core.Connection.Clear();
        core.Metrics.Disconnected();
        core.Services.Breakers?.Left(core.Options.Endpoint);
        _lifetime.CancelQuietly();
        if (_pump is not null)
        {
            await _pump.Idle.DisposeAsync().ConfigureAwait(false);
        }

        await CloseAsync(connection).ConfigureAwait(false);
        _pump = null;
    }

    private async Task CloseAsync(TransportConnection connection)
    {
        try
        {
            await connection.DisposeAsync().AsTask().WaitAsync(CloseLimit, core.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // An error while closing does not change how the stream ended.
            Log.CloseFailed(core.Logger, core.Kind, core.Id, e.GetType().Name);
        }
    }

    /// <summary>Ends the session completely, and only then logs the end.</summary>
    private void Finish(StreamEnd end)
    {
        if (end.Error is { } error)
        {
            core.Metrics.Error(error);
        }

        core.Life.End(end, _retry.Failures);
        core.Requests?.End(session, end);
        sends.End(session);
        session.SetOver();
        if (end.Error is { } cause)
        {
            Log.Failed(core.Logger, core.Kind, core.Id, cause.Code, cause);
        }
    }

    private TransportException ConnectTimeout(Exception cause) =>
        new(
            TransportErrorCode.ConnectTimeout,
            $"No response from {core.Options.Endpoint.Host} within {core.Options.ConnectTimeout}.",
            isTransient: true,
            cause);
}
