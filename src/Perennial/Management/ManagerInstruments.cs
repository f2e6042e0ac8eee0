using System.Diagnostics.Metrics;
using Perennial.Diagnostics;

namespace Perennial.Management;

/// <summary>
/// The observable instruments of a manager's transports. A metrics collector reads them at any time; they end with the manager.
/// </summary>
internal sealed class ManagerInstruments : IDisposable
{
    private readonly Meter _meter = new(PerennialTelemetry.Name);

    /// <param name="transports">Returns the metrics of all transports.</param>
    /// <param name="utilization">Returns the number of transports as a share of the largest number allowed.</param>
    public ManagerInstruments(Func<IReadOnlyList<TransportMetrics>> transports, Func<double> utilization)
    {
        _meter.CreateObservableUpDownCounter(
            "perennial.client.transports",
            () => transports().CountBy(static metrics => (metrics.Kind, metrics.State)).Select(static count => new Measurement<int>(
                count.Value, Kind(count.Key.Kind), new KeyValuePair<string, object?>("perennial.state", count.Key.State.ToString()))),
            "{transport}",
            "Managed transports, by kind and state.");
        _meter.CreateObservableUpDownCounter(
            "perennial.client.buffer.usage",
            () => transports().GroupBy(static metrics => metrics.Kind, StringComparer.Ordinal).Select(static kind => new Measurement<int>(
                kind.Sum(static metrics => metrics.BufferSize), Kind(kind.Key))),
            "{message}",
            "Messages waiting for the readers of managed transports.");
        _meter.CreateObservableGauge(
            "perennial.client.pool.utilization",
            utilization,
            "1",
            "Managed transports as a share of the largest number allowed.");
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Kind(string kind) => new("perennial.transport", kind);
}
