using Perennial.HttpStreams;
using Perennial.Sse;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>The forms in which the client library reads a run over HTTP.</summary>
public enum ReaderForm
{
    Sse,
    JsonLines,
    LongPoll,
}

internal static class ReaderForms
{
    private static readonly ReconnectOptions AtOnce =
        new() { InitialDelay = TimeSpan.Zero, Jitter = false, MaxAttempts = ReconnectOptions.Unlimited };

    public static string Accept(this ReaderForm form) => form switch
    {
        ReaderForm.Sse => "text/event-stream",
        ReaderForm.JsonLines => "application/x-ndjson",
        _ => "application/json",
    };

    /// <summary>A transport of the client library that reads in this form and reconnects at once.</summary>
    public static Transport NewTransport(this ReaderForm form, Uri endpoint, string? lastEventId = null) => form switch
    {
        ReaderForm.Sse => new SseTransport(new SseTransportOptions { Endpoint = endpoint, LastEventId = lastEventId, Reconnect = AtOnce }),
        ReaderForm.JsonLines =>
            new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = endpoint, LastEventId = lastEventId, Reconnect = AtOnce }),
        _ => new LongPollTransport(new LongPollTransportOptions
        {
            Endpoint = endpoint, LastEventId = lastEventId, Reconnect = AtOnce, Interval = TimeSpan.Zero,
        }),
    };
}
