using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Runs;

/// <summary>What happens when an endpoint returns a run. The layer that serves runs registers it, so that a run need not know how it is served.</summary>
/// <param name="ExecuteAsync">Answers a request with a run as soon as the store has recorded it.</param>
/// <param name="Prepare">Prepares an endpoint whose return type is a run.</param>
internal sealed record RunAnswer(Func<HttpContext, Task<StreamRun>, Task> ExecuteAsync, Action<EndpointBuilder> Prepare);
