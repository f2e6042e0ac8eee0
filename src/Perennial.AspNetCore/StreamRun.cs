using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Perennial.AspNetCore;

/// <summary>A producer writing to a numbered log. It belongs to no connection: readers come, leave, return and share it.</summary>
/// <remarks>
/// <para>Safe from any thread.</para>
/// <para>
/// Returned from an endpoint it answers at once with the run as <c>text/event-stream</c> from its first event. The header
/// <c>Content-Location</c> (RFC 9110, section 8.7) names where <c>MapPerennial</c> serves the same run, so a reader that loses this response
/// resumes there by GET and never repeats the request that started the run.
/// </para>
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The source owns neither timer nor handle, and a late stop may still use it.")]
public sealed class StreamRun : IResult
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _logger;

    internal StreamRun(string id, RunLog log, ILogger logger, Func<RunWriter, CancellationToken, Task> produce)
    {
        Id = id;
        Events = log;
        _logger = logger;
        Completion = Task.Run(() => ProduceAsync(produce));
    }

    /// <summary>The name of the run in its URL: 128 random bits in base64url. Whoever knows it may read the run, so it is not logged.</summary>
    public string Id { get; }

    /// <summary>Whether the run goes on, and if not, how it ended.</summary>
    public RunStatus Status => Events.State.Status;

    /// <summary>Completes when the producer has returned, with the status of the run. Never faults.</summary>
    /// <remarks><see cref="RunStatus.Running"/> means that the host shut down first: the run was cut off and has no end.</remarks>
    public Task<RunStatus> Completion { get; }

    internal RunLog Events { get; }

    /// <summary>Ends the run as stopped and cancels its producer. Does nothing to a run that has ended.</summary>
    /// <returns>How the run ended: <see cref="RunStatus.Stopped"/>, unless it had ended otherwise before.</returns>
    /// <remarks>
    /// The end is recorded before the producer is cancelled: readers need not wait for it, and what it still writes is refused with
    /// <see cref="OperationCanceledException"/>.
    /// </remarks>
    public async Task<RunStatus> StopAsync()
    {
        if (Events.TryClose(RunEnd.Stopped))
            await CancelProducerAsync();
        return Status;
    }

    /// <summary>Answers a request with this run, from its first event to its end. Called by ASP.NET Core.</summary>
    /// <param name="httpContext">The request to answer. When it goes away, the run goes on.</param>
    /// <returns>Completes when the run has ended and everything is sent, or when the reader left.</returns>
    /// <exception cref="InvalidOperationException"><c>MapPerennial</c> was not called, so nobody could resume the run.</exception>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var services = httpContext.RequestServices;
        var path = services.GetRequiredService<LinkGenerator>()
            .GetPathByName(httpContext, PerennialEndpoints.ReadEndpoint, new RouteValueDictionary { ["id"] = Id })
            ?? throw new InvalidOperationException("A run can only be answered where it can be resumed: call app.MapPerennial(\"/streams\").");
        httpContext.Response.Headers.ContentLocation = path;
        return services.GetRequiredService<SseResponse>().SendAsync(httpContext, Events, requested: null);
    }

    /// <summary>Cancels the producer and records no end, because the run was cut off and did not end.</summary>
    internal async Task CancelProducerAsync()
    {
        try
        {
            await _stop.CancelAsync();
        }
        catch (AggregateException e)
        {
            Log.CancellationThrew(_logger, Events.Epoch, e);
        }
    }

    private async Task<RunStatus> ProduceAsync(Func<RunWriter, CancellationToken, Task> produce)
    {
        Log.Started(_logger, Events.Epoch);
        try
        {
            await produce(new RunWriter(Events, _stop.Token), _stop.Token);
            // A producer may leave its loop quietly when cancelled: after a stop the end stands, on shutdown there is none to claim.
            if (!_stop.IsCancellationRequested)
                Events.TryClose(RunEnd.Completed);
        }
        catch (Exception e) when (_stop.IsCancellationRequested)
        {
            Log.ThrewAfterCancellation(_logger, Events.Epoch, e);
        }
        catch (Exception e)
        {
            Fail(e);
        }

        Log.Ended(_logger, Events.Epoch, Status);
        return Status;
    }

    private void Fail(Exception exception)
    {
        var (message, code) = exception is RunFailedException failure
            ? (failure.Message, failure.Code)
            : (RunFailedException.DefaultMessage, RunFailedException.DefaultCode);
        Events.TryClose(RunEnd.Failed(message, code));
        Log.ProducerThrew(_logger, Events.Epoch, exception);
    }
}
