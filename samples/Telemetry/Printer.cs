using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;

/// <summary>Prints what would otherwise go to a collector; an application adds an exporter of its own here.</summary>
internal static class Printer
{
    public sealed class Activities : BaseExporter<Activity>
    {
        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var activity in batch)
            {
                Console.WriteLine($"activity {activity.DisplayName} {activity.Status} [{string.Join(' ', activity.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}]");
            }

            return ExportResult.Success;
        }
    }

    public sealed class Metrics : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (var metric in batch)
            {
                foreach (ref readonly var point in metric.GetMetricPoints())
                {
                    var value = metric.MetricType switch
                    {
                        MetricType.Histogram => $"{point.GetHistogramCount()} times, {point.GetHistogramSum():0.000} in all",
                        MetricType.DoubleGauge => $"{point.GetGaugeLastValueDouble()}",
                        _ => $"{point.GetSumLong()}",
                    };
                    var tags = new List<string>();
                    foreach (var tag in point.Tags)
                    {
                        tags.Add($"{tag.Key}={tag.Value}");
                    }

                    Console.WriteLine($"metric {metric.Name} {metric.Unit} [{string.Join(' ', tags)}] {value}");
                }
            }

            return ExportResult.Success;
        }
    }
}
