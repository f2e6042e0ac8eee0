using Perennial.AspNetCore;
using Perennial.Gateway.Answers;
using Perennial.Gateway.Diagnostics;

namespace Perennial.Gateway.Exchanges;

/// <summary>Records the stream of an upstream, and counts how it went.</summary>
internal static class AnswerProducer
{
    public static async Task ProduceAsync(UpstreamStream stream, string upstream, RunWriter writer, CancellationToken stop)
    {
        GatewayTelemetry.CountPaid(upstream, stream.Dialect.Name);
        try
        {
            await stream.ProduceAsync(writer, stop);
        }
        catch (RunFailedException)
        {
            GatewayTelemetry.CountCut(upstream, stream.Dialect.Name);
            throw;
        }
    }
}
