using Perennial.Cli.Arguments;
using Perennial.Cli.Terminal;

namespace Perennial.Cli.Connect;

/// <summary>
/// One run of <c>connect</c>: reports the events of a transport until the stream ends, or until there is a reason to exit earlier.
/// </summary>
/// <remarks>
/// The transport's handlers report everything. They are called one at a time, and <c>closed</c> is reported after the last of them. So
/// output that blocks delays only the stream itself.
/// </remarks>
internal sealed class ConnectRun(Transport transport, IReporter reporter, ConnectSettings settings)
{
    private readonly TaskCompletionSource<ClosedEvent> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _leave = new(TaskCreationOptions.RunContinuationsAsynchronously);    // with the exit code
    private ErrorEvent? _sendError;
    private int _taken;
    private bool _isIncomplete;         // data is missing, so the run fails

    /// <summary>Connects, prints and returns the exit code.</summary>
    /// <exception cref="UsageException">The settings do not make a transport.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<int> RunAsync(ConnectSettings settings, CancellationToken cancellationToken)
    {
        var transport = Transports.Create(settings);
        using var output = new StandardOutput();
        IReporter reporter = settings.Json ? new JsonReporter(output) : new PlainReporter(output, settings.Verbose);
        return await new ConnectRun(transport, reporter, settings).RunAsync(cancellationToken);
    }

    private async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        Subscribe();
        var sending = ConnectAndSendAsync();
        using (cancellationToken.Register(() => _leave.TrySetCanceled(cancellationToken)))
        {
            if (await Task.WhenAny(_closed.Task, _leave.Task) == _closed.Task)
            {
                await sending;
                _leave.TrySetResult((await _closed.Task).End.Error is null ? ExitCode.Success : ExitCode.Failed);
            }
        }

        await transport.DisposeAsync();
        await sending;
        await ReportTheEndAsync();
        var code = await _leave.Task;
        if (code != ExitCode.Success || !_isIncomplete)
        {
            return code;
        }

        ErrorLine.Write("failed: the output is incomplete, data is missing");
        return ExitCode.Failed;
    }

    private void Subscribe()
    {
        transport.Connecting += Report;
        transport.Connected += Report;
        transport.Reconnecting += Report;
        transport.ErrorOccurred += Report;
        transport.Backpressure += Report;
        transport.Drained += Report;
        transport.MessagesDropped += Report;
        transport.GapDetected += Report;
        transport.Completed += Report;
        transport.MessageReceived += Report;
        transport.Closed += (_, closed) => _closed.TrySetResult(closed);
    }

    private void Report<T>(object? sender, T happened)
        where T : class => Try(() =>
        {
            _isIncomplete |= happened is DroppedEvent
                or GapEvent { Reason: GapReason.AnnouncedByServer }
                or ErrorEvent { Code: TransportErrorCode.InvalidMessage };
            reporter.Event(happened);
        });

    private void Report(object? sender, StreamMessage message) => Try(() =>
    {
        reporter.Message(message);
        if (++_taken == settings.Take)
        {
            _leave.TrySetResult(ExitCode.Success);
        }
    });

    /// <summary>Reports an event, unless the run has already decided to exit: later events are not part of the output.</summary>
    private void Try(Action report)
    {
        if (_leave.Task.IsCompleted)
        {
            return;
        }

        try
        {
            report();
        }
        catch (ReaderGoneException)
        {
            _leave.TrySetResult(ExitCode.Success);
        }
        catch (Exception e)
        {
            _leave.TrySetException(e);
        }
    }

    private async Task ConnectAndSendAsync()
    {
        try
        {
            await transport.ConnectAsync();
        }
        catch (TransportException)
        {
            return;     // reported by the transport's own events
        }

        try
        {
            foreach (var text in settings.Sends)
            {
                await transport.SendAsync(text);
            }
        }
        catch (TransportException e)
        {
            SendFailed(e);
        }
    }

    /// <summary>
    /// A message that cannot be sent ends the run. If the stream ended before the message was confirmed, the run does not fail: the server
    /// may have ended the stream in answer to the message.
    /// </summary>
    private void SendFailed(TransportException error)
    {
        var isTooLate = error is { Code: TransportErrorCode.NotConnected, Delivery: DeliveryStatus.Unknown };
        if (!isTooLate && _leave.TrySetResult(ExitCode.Failed))
        {
            _sendError = new ErrorEvent
            {
                Exception = error,
                IsRecoverable = false,
                State = transport.State,
                Attempt = 0,
                Time = TimeProvider.System.GetUtcNow(),
            };
        }
    }

    /// <summary>
    /// Called after the transport's last event, on this thread. If the output blocked and the handlers did not finish, nothing is reported:
    /// the output has no reader.
    /// </summary>
    private async Task ReportTheEndAsync()
    {
        if (!_closed.Task.IsCompleted || _leave.Task.IsFaulted)
        {
            return;
        }

        try
        {
            if (_sendError is not null)
            {
                reporter.Event(_sendError);
            }

            reporter.Event(await _closed.Task);
        }
        catch (ReaderGoneException)
        {
            _leave.TrySetResult(ExitCode.Success);
        }
    }
}
