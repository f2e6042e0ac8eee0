using Perennial.Sse;

namespace Perennial.Cli.Connect;

/// <summary>Makes the transport the caller asked for. The one place that knows which protocols there are.</summary>
internal static class Transports
{
    /// <exception cref="UsageException">The protocol is not there, or the library refuses an option.</exception>
    public static Transport Create(ConnectSettings settings)
    {
        var services = settings.Verbose ? new TransportServices { LoggerFactory = new VerboseLog() } : null;
        try
        {
            return settings.Transport switch
            {
                TransportKind.Auto or TransportKind.Sse => new SseTransport(SseOptions(settings), services),
                TransportKind.WebSocket => throw NotAvailable("websocket"),
                TransportKind.HttpStream => throw NotAvailable("http-stream"),
                _ => throw NotAvailable("long-poll"),
            };
        }
        catch (ArgumentException e)
        {
            throw UsageException.From(e);
        }
    }

    private static SseTransportOptions SseOptions(ConnectSettings settings)
    {
        var defaults = new SseTransportOptions { Endpoint = Endpoint(settings.Url) };
        return defaults with
        {
            Method = Method(settings),
            Body = settings.Data is null ? null : RequestData.Read(settings.Data),
            Headers = settings.Headers,
            AllowReplay = settings.AllowReplay,
            LastEventId = settings.LastEventId,
            ConnectTimeout = settings.ConnectTimeout ?? defaults.ConnectTimeout,
            IdleTimeout = settings.IdleTimeout,
            MaxMessageBytes = settings.MaxMessageBytes ?? defaults.MaxMessageBytes,
            EndOfStream = settings.OnEnd,
            Reconnect = defaults.Reconnect with
            {
                Enabled = !settings.NoReconnect,
                Jitter = !settings.NoJitter,
                MaxAttempts = settings.MaxAttempts ?? defaults.Reconnect.MaxAttempts,
                InitialDelay = settings.RetryDelay ?? defaults.Reconnect.InitialDelay,
                MaxDelay = settings.MaxRetryDelay ?? defaults.Reconnect.MaxDelay,
            },
            Buffer = defaults.Buffer with
            {
                Capacity = settings.BufferSize ?? defaults.Buffer.Capacity,
                FullMode = settings.BufferStrategy,
            },
        };
    }

    /// <summary>The URL is not repeated in the error: its query may hold a secret.</summary>
    private static Uri Endpoint(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https"
            ? endpoint
            : throw new UsageException("URL must be absolute and start with http:// or https://");

    private static HttpMethod? Method(ConnectSettings settings)
    {
        if (settings.Method is not { } name)
        {
            return null;
        }

        HttpMethod method;
        try
        {
            method = HttpMethod.Parse(name);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new UsageException($"--method must be the name of an HTTP method, such as POST, not '{name}'");
        }

        return settings.Data is not null && (method == HttpMethod.Get || method == HttpMethod.Head)
            ? throw new UsageException($"--data cannot be sent with {method}; --method must be another, or absent for POST")
            : method;
    }

    private static UsageException NotAvailable(string name) => new($"--transport {name} is not available in this version; auto and sse are");
}
