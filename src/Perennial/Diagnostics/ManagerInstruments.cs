using System.Diagnostics.Metrics;
using Perennial.Management;

namespace Perennial.Diagnostics;

/// <summary>What can be measured of a manager's transports at any moment. Asked by whoever collects metrics, and gone with the manager.</summary>
internal sealed class ManagerInstruments : IDisposable
{
    private readonly Meter _meter = new(PerennialTelemetry.Name);

    public ManagerInstruments(TransportManager manager)
    {
        _meter.CreateObservableUpDownCounter(
            "perennial.client.transports",
            () => manager.GetMetrics().CountBy(static metrics => (metrics.Kind, metrics.State)).Select(static count => new Measurement<int>(
                count.Value, Kind(count.Key.Kind), new KeyValuePair<string, object?>("perennial.state", count.Key.State.ToString()))),
            "{transport}",
            "Managed transports, by kind and state.");
        _meter.CreateObservableUpDownCounter(
            "perennial.client.buffer.usage",
            () => manager.GetMetrics().GroupBy(static metrics => metrics.Kind, StringComparer.Ordinal).Select(static kind => new Measurement<int>(
                kind.Sum(static metrics => metrics.BufferSize), Kind(kind.Key))),
            "{message}",
            "Messages waiting for the readers of managed transports.");
        _meter.CreateObservableGauge(
            "perennial.client.pool.utilization",
            () => manager.GetSummary().Utilization / 100,
            "1",
            "Managed transports as a share of how many there may be.");
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Kind(string kind) => new("perennial.transport", kind);
}
