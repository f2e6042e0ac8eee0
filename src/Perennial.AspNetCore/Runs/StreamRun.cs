using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Runs;
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
public class StreamRun : IResult, IEndpointMetadataProvider
{
    internal StreamRun(RunLog log) => Events = log;

    /// <summary>The name of the run in its URL: 128 random bits in base64url. Whoever knows it may read the run, so it is not logged.</summary>
    public string Id => Events.Id;

    /// <summary>What the ids of its events begin with; no secret.</summary>
    internal string Epoch => Events.Epoch;

    /// <summary>What is recorded.</summary>
    internal RunLog Events { get; }

    /// <summary>Asks whether the run goes on, and if not, how it ended.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<RunStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        (await Events.GetStateAsync(cancellationToken).ConfigureAwait(false)).Status;

    /// <summary>Ends the run as stopped and has its producer cancelled, wherever it is. Does nothing to a run that has ended.</summary>
    /// <param name="cancellationToken">Ends the call; the run may be stopped all the same.</param>
    /// <returns>How the run ended: <see cref="RunStatus.Stopped"/>, unless it had ended otherwise before.</returns>
    /// <remarks>
    /// The end is recorded before the producer is cancelled: readers need not wait for it, and what it still writes is refused with
    /// <see cref="OperationCanceledException"/>.
    /// </remarks>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public Task<RunStatus> StopAsync(CancellationToken cancellationToken = default) => Events.CloseAsync(RunEnd.Stopped, cancellationToken).AsTask();

    /// <summary>Answers a request with this run to its end: a GET from after the event that its <c>Last-Event-ID</c> names, others from the first event. Called by ASP.NET Core.</summary>
    /// <param name="httpContext">The request to answer. When it goes away, the run goes on.</param>
    /// <returns>Completes when the run has ended and everything is sent, or when the reader left.</returns>
    /// <exception cref="InvalidOperationException"><c>MapPerennial</c> was not called, so nobody could resume the run.</exception>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        return httpContext.RequestServices.GetRequiredService<RunAnswer>().ExecuteAsync(httpContext, Task.FromResult(this));
    }

    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.ApplicationServices.GetService<RunAnswer>()?.Prepare(builder);
}
