using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>A numbered stream of events, independent of connections. Many readers may read it, leave it and resume it.</summary>
/// <remarks>
/// <para>Safe from any thread, and on any node: if several nodes share a store, another node may produce the run.</para>
/// <para>
/// An endpoint that returns it answers at once with the run. The header <c>Content-Location</c> (RFC 9110, section
/// 8.7) is the URL at which <c>MapPerennial</c> serves the same run. A reader that loses this response resumes there by GET, and never
/// repeats the request that started the run.
/// </para>
/// </remarks>
public class StreamRun : IResult, IEndpointMetadataProvider
{
    internal StreamRun(RunLog log) => Events = log;

    /// <summary>
    /// Gets the name of the run in its URL: 128 random bits in base64url. A client that knows it may be able to read the run, so it is not
    /// logged.
    /// </summary>
    public string Id => Events.Id;

    /// <summary>Gets the owner, as in <see cref="RunOptions.Owner"/>; null for none.</summary>
    public string? Owner => Events.Description.Owner;

    /// <summary>Gets the key, as in <see cref="RunOptions.Key"/>; null for none.</summary>
    public string? Key => Events.Description.Key;

    /// <summary>Gets the metadata, as in <see cref="RunOptions.Metadata"/>; empty for none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Events.Description.Metadata;

    /// <summary>Gets the beginning of the ids of its events; not a secret.</summary>
    internal string Epoch => Events.Epoch;

    /// <summary>The recorded events.</summary>
    internal RunLog Events { get; }

    /// <summary>Gets the status of the run: whether it goes on, or how it ended.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public async ValueTask<RunStatus> GetStatusAsync(CancellationToken cancellationToken = default) =>
        (await Events.GetStateAsync(cancellationToken).ConfigureAwait(false)).Status;

    /// <summary>Ends the run as stopped and cancels its producer, on whichever node it is. Does nothing if the run has ended.</summary>
    /// <param name="cancellationToken">Cancels the call; the run may still be stopped.</param>
    /// <returns>How the run ended: <see cref="RunStatus.Stopped"/>, unless it had ended otherwise before.</returns>
    /// <remarks>
    /// The end is recorded before the producer is cancelled, so readers do not wait for the producer. Its later writes throw
    /// <see cref="OperationCanceledException"/>.
    /// </remarks>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public Task<RunStatus> StopAsync(CancellationToken cancellationToken = default) =>
        Events.CloseAsync(RunEnd.Stopped, cancellationToken).AsTask();

    /// <summary>
    /// Answers a request with this run to its end, from after the event in its <c>Last-Event-ID</c> or else from the first event. A request
    /// that is not a GET begins with the first event if that id is of another run. Called by ASP.NET Core.
    /// </summary>
    /// <param name="httpContext">The request to answer. If the client disconnects, the run goes on.</param>
    /// <returns>A task that completes when the run has ended and all events are sent, or when the reader has left.</returns>
    /// <exception cref="InvalidOperationException"><c>MapPerennial</c> was not called, so the run could not be resumed.</exception>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        return httpContext.RequestServices.GetRequiredService<RunAnswer>().ExecuteAsync(httpContext, Task.FromResult(this));
    }

    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.ApplicationServices.GetService<RunAnswer>()?.Prepare(builder);
}
