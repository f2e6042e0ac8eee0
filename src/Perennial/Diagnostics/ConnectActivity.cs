using System.Diagnostics;

namespace Perennial.Diagnostics;

/// <summary>
/// The activity of one attempt to connect, or nothing if no listener is registered. An exception of a listener is counted and not rethrown.
/// </summary>
internal readonly struct ConnectActivity : IDisposable
{
    private readonly Activity? _activity;
    private readonly MetricsRecorder _metrics;

    /// <param name="links">The activities that this activity links to.</param>
    /// <param name="metrics">Counts exceptions of listeners.</param>
    public ConnectActivity(IEnumerable<ActivityLink>? links, MetricsRecorder metrics)
    {
        _metrics = metrics;
        try
        {
            _activity = PerennialTelemetry.Activities.StartActivity(ActivityKind.Client, name: "perennial.connect", links: links);
        }
        catch (Exception)
        {
            metrics.ObserverThrew();
        }
    }

    /// <summary>Adds tags that describe the transport and the endpoint.</summary>
    public void Describe(string kind, Uri endpoint, int attempt) => _activity?
        .SetTag("perennial.transport", kind)
        .SetTag("server.address", endpoint.Host)
        .SetTag("server.port", endpoint.Port)
        .SetTag("perennial.attempt", attempt);

    /// <summary>Marks the attempt as failed.</summary>
    public void Fail(Exception error) => _activity?
        .SetStatus(ActivityStatusCode.Error)
        .SetTag("error.type", ((error as TransportException)?.Code ?? TransportErrorCode.Unexpected).ToString());

    public void Dispose()
    {
        try
        {
            _activity?.Dispose();
        }
        catch (Exception)
        {
            _metrics.ObserverThrew();
        }
    }
}
