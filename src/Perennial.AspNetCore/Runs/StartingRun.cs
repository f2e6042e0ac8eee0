using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Runs;

namespace Perennial.AspNetCore;

/// <summary>A run that is being recorded. An endpoint that returns it answers with the run as soon as the store has recorded it.</summary>
/// <remarks>
/// <para>
/// It has no id yet, because an id belongs only to a run that every node can find. To get an id, use
/// <see cref="StreamRuns.StartAsync(Func{RunWriter, CancellationToken, Task}, RunOptions?)"/>, which waits until the run is recorded.
/// </para>
/// <para>Safe from any thread.</para>
/// </remarks>
public sealed class StartingRun : IResult, IEndpointMetadataProvider
{
    private readonly Task<StartedRun> _recording;

    internal StartingRun(Task<StartedRun> recording) => _recording = recording;

    /// <summary>Answers a request with the run, from its first event to its end, after it is recorded. Called by ASP.NET Core.</summary>
    /// <param name="httpContext">The request to answer. If the client disconnects, the run goes on.</param>
    /// <returns>
    /// A task that completes when the run has ended and all events are sent, or when the reader has left. If the store does not record the
    /// run, the answer is 503.
    /// </returns>
    /// <exception cref="InvalidOperationException"><c>MapPerennial</c> was not called, so the run could not be resumed.</exception>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        return httpContext.RequestServices.GetRequiredService<RunAnswer>().ExecuteAsync(httpContext, WaitForRunAsync());
    }

    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.ApplicationServices.GetService<RunAnswer>()?.Prepare(builder);

    private async Task<StreamRun> WaitForRunAsync() => await _recording.ConfigureAwait(false);
}
