using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Writes what an upstream says into a run, to the same end: what broke off does not pass for complete.</summary>
internal static class UpstreamRelay
{
    /// <summary>Reads the upstream to its end and disposes the transport.</summary>
    /// <exception cref="RunFailedException">The upstream did not come to its end, or said what cannot be passed on.</exception>
    public static async Task ProduceAsync(Transport upstream, RunWriter writer, CancellationToken stop)
    {
        await using (upstream)
        {
            try
            {
                await foreach (var message in upstream.ReadAllAsync(stop))
                {
                    await WriteAsync(message, writer, stop);
                }
            }
            catch (TransportException e)
            {
                throw Failure(e);
            }

            if (upstream.GetMetrics().LastError is { Code: TransportErrorCode.InvalidMessage })
            {
                throw new RunFailedException("The upstream's answer is not all JSON lines; something of it is missing here.", "upstream_invalid");
            }
        }
    }

    private static ValueTask WriteAsync(StreamMessage message, RunWriter writer, CancellationToken stop)
    {
        if (message.FollowsGap)
        {
            throw new RunFailedException("The upstream did not go on where it had broken off.", "upstream_interrupted");
        }

        var eventType = string.Equals(message.EventType, StreamMessage.DefaultEventType, StringComparison.Ordinal) ? null : message.EventType;
        return message.IsBinary
            ? writer.WriteBinaryAsync(message.Data, eventType, stop)
            : writer.WriteAsync(message.Data, eventType, stop);
    }

    /// <summary>The library's messages hold neither secrets nor URLs, so they are what readers are told.</summary>
    private static RunFailedException Failure(TransportException e) => e.Code switch
    {
        TransportErrorCode.ServerFailed => new RunFailedException(e.ServerMessage ?? "The upstream failed.", e.ServerCode ?? "upstream_failed", e),
        TransportErrorCode.Interrupted or TransportErrorCode.AttemptsExhausted or TransportErrorCode.ConnectionLost
            or TransportErrorCode.EndedWithoutMarker or TransportErrorCode.IdleTimeout =>
            new RunFailedException($"The upstream was interrupted. {e.Message}", "upstream_interrupted", e),
        _ => new RunFailedException($"The upstream failed. {e.Message}", "upstream_failed", e),
    };
}
