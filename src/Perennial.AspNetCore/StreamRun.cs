using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Http;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>A numbered stream of events. It belongs to no connection: readers come, leave, return and share it.</summary>
/// <remarks>
/// <para>Safe from any thread, and on any node: where several share a store, the run may be produced by another.</para>
/// <para>
/// Returned from an endpoint it answers at once with the run from its first event. The header <c>Content-Location</c> (RFC 9110, section 8.7)
/// names where <c>MapPerennial</c> serves the same run, so a reader that loses this response resumes there by GET and never repeats the
/// request that started the run.
/// </para>
/// </remarks>
public class StreamRun : IResult
{
    internal StreamRun(IRunLog log)
        : this(log.Id, log.Epoch, Task.FromResult(log))
    {
    }

    private protected StreamRun(string id, string epoch, Task<IRunLog> log)
    {
        Id = id;
        Epoch = epoch;
        Events = log;
    }

    /// <summary>The name of the run in its URL: 128 random bits in base64url. Whoever knows it may read the run, so it is not logged.</summary>
    public string Id { get; }

    /// <summary>What the ids of its events begin with; no secret.</summary>
    internal string Epoch { get; }

    /// <summary>What is recorded; faulted where the store did not take the run.</summary>
    internal Task<IRunLog> Events { get; }

    /// <summary>Asks whether the run goes on, and if not, how it ended.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<RunStatus> GetStatusAsync(CancellationToken cancellationToken = default)
    {
        var log = await Events.ConfigureAwait(false);
        return (await log.GetStateAsync(cancellationToken).ConfigureAwait(false)).Status;
    }

    /// <summary>Ends the run as stopped and has its producer cancelled, wherever it is. Does nothing to a run that has ended.</summary>
    /// <param name="cancellationToken">Ends the call; the run may be stopped all the same.</param>
    /// <returns>How the run ended: <see cref="RunStatus.Stopped"/>, unless it had ended otherwise before.</returns>
    /// <remarks>
    /// The end is recorded before the producer is cancelled: readers need not wait for it, and what it still writes is refused with
    /// <see cref="OperationCanceledException"/>.
    /// </remarks>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async Task<RunStatus> StopAsync(CancellationToken cancellationToken = default)
    {
        var log = await Events.ConfigureAwait(false);
        return await log.CloseAsync(RunEnd.Stopped, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Answers a request with this run, from its first event to its end. Called by ASP.NET Core.</summary>
    /// <param name="httpContext">The request to answer. When it goes away, the run goes on.</param>
    /// <returns>Completes when the run has ended and everything is sent, or when the reader left.</returns>
    /// <exception cref="InvalidOperationException"><c>MapPerennial</c> was not called, so nobody could resume the run.</exception>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var services = httpContext.RequestServices;
        var path = services.GetRequiredService<LinkGenerator>()
            .GetPathByName(httpContext, PerennialEndpoints.ReadEndpoint, new RouteValueDictionary { ["id"] = Id })
            ?? throw new InvalidOperationException("A run can only be answered where it can be resumed: call app.MapPerennial(\"/streams\").");
        IRunLog log;
        try
        {
            log = await Events.ConfigureAwait(false);
        }
        catch (RunStoreException)
        {
            await Problem.UnavailableAsync(httpContext, "The server cannot record runs just now.", RefusalReasons.StoreUnavailable).ConfigureAwait(false);
            return;
        }

        httpContext.Response.Headers.ContentLocation = path;
        await services.GetRequiredService<RunResponse>().SendAsync(httpContext, log, requested: null).ConfigureAwait(false);
    }
}
