using FsCheck;
using FsCheck.Fluent;
using Perennial.Management;

namespace Perennial.Tests.Management;

/// <summary>The summary is the sum of its parts, whatever they are.</summary>
public class SummaryTests
{
    private static readonly string[] Kinds = ["sse", "websocket", "long-poll"];

    [Fact]
    public void Every_total_is_the_sum_of_what_the_transports_counted() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(int, int, int)[]>(), static seeds =>
        {
            var transports = seeds.Select(static seed => Metrics(seed)).ToList();
            var summary = TransportSummary.Of(transports, transports.Count + 7, 1000);

            summary.Live.ShouldBe(transports.Count);
            summary.Removed.ShouldBe(7);
            summary.Utilization.ShouldBe(transports.Count / 10.0, tolerance: 1e-9);
            summary.ByKind.Values.Sum().ShouldBe(transports.Count);
            summary.ByState.Values.Sum().ShouldBe(transports.Count);
            foreach (var kind in Kinds)
            {
                summary.ByKind.GetValueOrDefault(kind).ShouldBe(
                    transports.Count(metrics => string.Equals(metrics.Kind, kind, StringComparison.Ordinal)));
            }

            foreach (var state in Enum.GetValues<TransportState>())
            {
                summary.ByState.GetValueOrDefault(state).ShouldBe(transports.Count(metrics => metrics.State == state));
            }

            foreach (var total in typeof(TransportTotals).GetProperties())
            {
                var part = typeof(TransportMetrics).GetProperty(total.Name).ShouldNotBeNull(total.Name);
                Convert.ToInt64(total.GetValue(summary.Totals)).ShouldBe(
                    transports.Sum(metrics => Convert.ToInt64(part.GetValue(metrics))), total.Name);
            }
        }).QuickCheckThrowOnFailure();

    /// <summary>Counts that differ from each other, so that no two totals can be mistaken.</summary>
    private static TransportMetrics Metrics((int Kind, int State, int Seed) of)
    {
        var random = new Random(of.Seed);
        return new TransportMetrics
        {
            Id = Guid.NewGuid().ToString(),
            Kind = Kinds[(uint)of.Kind % Kinds.Length],
            State = (TransportState)((uint)of.State % 6),
            MessagesReceived = random.Next(),
            MessagesSent = random.Next(),
            BytesReceived = random.NextInt64(1L << 40),
            BytesSent = random.NextInt64(1L << 40),
            Errors = random.Next(),
            ReconnectAttempts = random.Next(),
            Resumes = random.Next(),
            Gaps = random.Next(),
            Dropped = random.Next(),
            HandlerErrors = random.Next(),
            BufferSize = random.Next(1_000_000),
        };
    }
}
