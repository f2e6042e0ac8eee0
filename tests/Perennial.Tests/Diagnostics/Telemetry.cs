using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Perennial.Diagnostics;

namespace Perennial.Tests.Diagnostics;

/// <summary>The OpenTelemetry SDK as an application sets it up, with exporters that keep what they are given.</summary>
internal sealed class Telemetry : IDisposable
{
    private readonly Spans _spans = new();
    private readonly Metrics _metrics = new();
    private readonly TracerProvider _tracing;
    private readonly MeterProvider _metering;

    public Telemetry()
    {
        _tracing = Sdk.CreateTracerProviderBuilder()
            .AddSource(PerennialTelemetry.Name, "test")
            .AddProcessor(new SimpleActivityExportProcessor(_spans))
            .Build();
        _metering =
            Sdk.CreateMeterProviderBuilder().AddMeter(PerennialTelemetry.Name).AddReader(new BaseExportingMetricReader(_metrics)).Build();
    }

    public IReadOnlyList<Activity> Activities => [.. _spans.Exported];

    /// <summary>
    /// What the instruments say now, one entry for each set of attributes: sums, and for histograms how many were recorded and their sum.
    /// </summary>
    public IReadOnlyList<Measured> Collect()
    {
        _metering.ForceFlush().ShouldBeTrue();
        return [.. _metrics.Latest];
    }

    public void Dispose()
    {
        _tracing.Dispose();
        _metering.Dispose();
    }

    internal sealed record Measured(string Name, string Unit, string Tags, double Sum, long Count);

    private sealed class Spans : BaseExporter<Activity>
    {
        public ConcurrentQueue<Activity> Exported { get; } = new();

        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var activity in batch)
            {
                Exported.Enqueue(activity);
            }

            return ExportResult.Success;
        }
    }

    private sealed class Metrics : BaseExporter<Metric>
    {
        public List<Measured> Latest { get; private set; } = [];

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var latest = new List<Measured>();
            foreach (var metric in batch)
            {
                foreach (ref readonly var point in metric.GetMetricPoints())
                {
                    var tags = new List<string>();
                    foreach (var tag in point.Tags)
                    {
                        tags.Add($"{tag.Key}={tag.Value}");
                    }

                    tags.Sort(StringComparer.Ordinal);
                    var (sum, count) = metric.MetricType switch
                    {
                        MetricType.Histogram => (point.GetHistogramSum(), point.GetHistogramCount()),
                        MetricType.LongSum or MetricType.LongSumNonMonotonic => (point.GetSumLong(), 1),
                        MetricType.DoubleGauge => (point.GetGaugeLastValueDouble(), 1),
                        _ => throw new NotSupportedException(metric.MetricType.ToString()),
                    };
                    latest.Add(new Measured(metric.Name, metric.Unit, string.Join(' ', tags), sum, count));
                }
            }

            Latest = latest;
            return ExportResult.Success;
        }
    }
}
