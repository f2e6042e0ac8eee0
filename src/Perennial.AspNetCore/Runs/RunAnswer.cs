using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Runs;

/// <summary>Answers an endpoint that returns a run. The HTTP layer registers it, so that runs do not depend on that layer.</summary>
/// <param name="ExecuteAsync">Answers a request with a run as soon as the store has recorded it.</param>
/// <param name="Prepare">Prepares an endpoint whose return type is a run.</param>
internal sealed record RunAnswer(Func<HttpContext, Task<StreamRun>, Task> ExecuteAsync, Action<EndpointBuilder> Prepare);
