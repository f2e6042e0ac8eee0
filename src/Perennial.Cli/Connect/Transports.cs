using Perennial.Auto;
using Perennial.Cli.Arguments;
using Perennial.Cli.Terminal;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Streams;
using Perennial.WebSockets;

namespace Perennial.Cli.Connect;

/// <summary>Creates the transport that the caller chose. The only list of protocols.</summary>
internal static class Transports
{
    /// <exception cref="UsageException">An option does not apply to the protocol, or the library refuses its value.</exception>
    public static Transport Create(ConnectSettings settings)
    {
        var services = settings.Verbose ? new TransportServices { LoggerFactory = new VerboseLog() } : null;
        try
        {
            var endpoint = Endpoint(settings);
            var isWebSocketUrl = endpoint.Scheme is "ws" or "wss";
            return settings.Transport switch
            {
                TransportKind.WebSocket => WebSocket(endpoint, settings, services),
                TransportKind.ByteStream => ByteStream(endpoint, settings, services),
                TransportKind.Auto when endpoint.Scheme is "tcp" or "tls" or "unix" => ByteStream(endpoint, settings, services),
                TransportKind.Auto when isWebSocketUrl => WebSocket(endpoint, settings, services),
                TransportKind.HttpStream => HttpStream(endpoint, settings, services),
                TransportKind.LongPoll => LongPoll(endpoint, settings, services),
                TransportKind.Sse => Sse(endpoint, settings, services),
                _ => Auto(endpoint, settings, services),
            };
        }
        catch (ArgumentException e)
        {
            throw UsageException.From(e);
        }
    }

    private static SseTransport Sse(Uri endpoint, ConnectSettings settings, TransportServices? services)
    {
        Refuse("sse", settings, "--heartbeat", "--subprotocol");
        return new SseTransport(Shared(new SseTransportOptions { Endpoint = endpoint }, settings), services);
    }

    private static HttpStreamTransport HttpStream(Uri endpoint, ConnectSettings settings, TransportServices? services)
    {
        Refuse("http-stream", settings, "--heartbeat", "--subprotocol");
        return new HttpStreamTransport(
            Shared(new HttpStreamTransportOptions { Endpoint = endpoint, AllowPlainText = true }, settings), services);
    }

    private static LongPollTransport LongPoll(Uri endpoint, ConnectSettings settings, TransportServices? services)
    {
        Refuse("long-poll", settings, "--heartbeat", "--subprotocol", "--method", "--data", "--allow-replay", "--on-end", "--dialect");
        return new LongPollTransport(Shared(new LongPollTransportOptions { Endpoint = endpoint }, settings), services);
    }

    private static WebSocketTransport WebSocket(Uri endpoint, ConnectSettings settings, TransportServices? services)
    {
        Refuse("websocket", settings, "--method", "--data", "--allow-replay", "--dialect");
        var defaults = Shared(new WebSocketTransportOptions { Endpoint = endpoint }, settings);
        return new WebSocketTransport(
            defaults with
            {
                SubProtocols = settings.SubProtocols,
                Heartbeat = defaults.Heartbeat with { Interval = settings.Heartbeat ?? defaults.Heartbeat.Interval },
            },
            services);
    }

    private static ByteStreamTransport ByteStream(Uri endpoint, ConnectSettings settings, TransportServices? services)
    {
        Refuse("byte-stream", settings, "--method", "--data", "--allow-replay", "--on-end", "--dialect", "--subprotocol");
        var defaults = Shared(new ByteStreamTransportOptions { Endpoint = endpoint }, settings);
        return new ByteStreamTransport(
            defaults with { Heartbeat = defaults.Heartbeat with { Interval = settings.Heartbeat ?? defaults.Heartbeat.Interval } },
            services);
    }

    private static AutoTransport Auto(Uri endpoint, ConnectSettings settings, TransportServices? services)
    {
        var defaults = Shared(new AutoTransportOptions { Endpoint = endpoint, AllowPlainText = true }, settings);
        return new AutoTransport(
            defaults with
            {
                WebSocket = defaults.WebSocket with
                {
                    SubProtocols = settings.SubProtocols,
                    Heartbeat =
                        defaults.WebSocket.Heartbeat with { Interval = settings.Heartbeat ?? defaults.WebSocket.Heartbeat.Interval },
                },
            },
            services);
    }

    /// <summary>Refuses options that would have no effect.</summary>
    private static void Refuse(string transport, ConnectSettings settings, params ReadOnlySpan<string> options)
    {
        foreach (var option in options)
        {
            var isGiven = option switch
            {
                "--heartbeat" => settings.Heartbeat is not null,
                "--subprotocol" => settings.SubProtocols.Count > 0,
                "--method" => settings.Method is not null,
                "--data" => settings.Data is not null,
                "--allow-replay" => settings.AllowReplay,
                "--dialect" => settings.Dialect is not null,
                _ => settings.OnEnd != EndOfStreamPolicy.Complete,
            };
            if (isGiven)
            {
                throw new UsageException($"{option} does not apply to the transport {transport}");
            }
        }
    }

    private static T Shared<T>(T defaults, ConnectSettings settings)
        where T : HttpTransportOptions
    {
        return defaults with
        {
            Method = RequestMethod.Parse(settings.Method, settings.Data),
            Body = settings.Data is null ? null : RequestData.Read(settings.Data),
            Headers = settings.Headers,
            AllowReplay = settings.AllowReplay ? true : null,
            LastEventId = settings.LastEventId,
            ConnectTimeout = settings.ConnectTimeout ?? defaults.ConnectTimeout,
            IdleTimeout = settings.IdleTimeout,
            MaxMessageBytes = settings.MaxMessageBytes ?? defaults.MaxMessageBytes,
            EndOfStream = settings.OnEnd,
            Dialect = DialectOf(settings),
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

    private static Dialect DialectOf(ConnectSettings settings)
    {
        if (settings.Dialect is not { } name)
        {
            return Dialects.Recognized;
        }

        return Dialects.TryGet(name, out var dialect)
            ? dialect
            : throw new UsageException($"--dialect must be one of {string.Join(", ", Dialects.All)}, not '{name}'");
    }

    /// <summary>Reads the URL. The error does not show it: its query may contain a secret.</summary>
    private static Uri Endpoint(ConnectSettings settings)
    {
        string[] schemes = settings.Transport switch
        {
            TransportKind.Auto => ["http://", "https://", "ws://", "wss://", "tcp://", "tls://", "unix:"],
            TransportKind.WebSocket => ["http://", "https://", "ws://", "wss://"],
            TransportKind.ByteStream => ["tcp://", "tls://", "unix:"],
            _ => ["http://", "https://"],
        };
        return Uri.TryCreate(settings.Url, UriKind.Absolute, out var endpoint)
            && schemes.Any(scheme => string.Equals(endpoint.Scheme, scheme.Split(':')[0], StringComparison.Ordinal))
            ? endpoint
            : throw new UsageException($"URL must be absolute and start with {string.Join(", ", schemes[..^1])} or {schemes[^1]}");
    }
}
