using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Writes the upstream's stream into a run, with the same ending: a stream that broke off does not end as complete.</summary>
internal static class UpstreamRelay
{
    /// <summary>Reads the upstream to its end and disposes the transport.</summary>
    /// <exception cref="RunFailedException">The upstream's stream broke off or failed, or has data that cannot be passed on.</exception>
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
                throw new RunFailedException("The upstream's response has lines that are not JSON; they are missing.", "upstream_invalid");
            }
        }
    }

    private static ValueTask WriteAsync(StreamMessage message, RunWriter writer, CancellationToken stop)
    {
        if (message.FollowsGap)
        {
            throw new RunFailedException("The upstream did not resume where its response broke off.", "upstream_interrupted");
        }

        var isDefault = string.Equals(message.EventType, StreamMessage.DefaultEventType, StringComparison.Ordinal);
        var eventType = isDefault ? null : message.EventType;
        return message.IsBinary
            ? writer.WriteBinaryAsync(message.Data, eventType, stop)
            : writer.WriteAsync(message.Data, eventType, stop);
    }

    /// <summary>Converts an error for the readers. The library's messages contain neither secrets nor URLs.</summary>
    private static RunFailedException Failure(TransportException e) => e.Code switch
    {
        TransportErrorCode.ServerFailed =>
            new RunFailedException(e.ServerMessage ?? "The upstream failed.", e.ServerCode ?? "upstream_failed", e),
        TransportErrorCode.Interrupted or TransportErrorCode.AttemptsExhausted or TransportErrorCode.ConnectionLost
            or TransportErrorCode.EndedWithoutMarker or TransportErrorCode.IdleTimeout =>
            new RunFailedException($"The upstream was interrupted. {e.Message}", "upstream_interrupted", e),
        _ => new RunFailedException($"The upstream failed. {e.Message}", "upstream_failed", e),
    };
}
