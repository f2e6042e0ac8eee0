using System.Collections.Frozen;
using System.Net;
using Perennial.Auto;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;
using Perennial.Cli.Terminal;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>The one request to the upstream that --method and --data describe. Immutable.</summary>
internal sealed class UpstreamRequest(AutoTransportOptions options, TransportServices? services)
{
    /// <summary>No retries of refusals: the request may cost, and its sender sees the refusal.</summary>
    private static readonly ReconnectOptions Reconnect =
        new() { InitialDelay = TimeSpan.FromMilliseconds(200), MaxAttempts = 4, RetryStatusCodes = FrozenSet<HttpStatusCode>.Empty };

    /// <exception cref="UsageException">The settings are not a valid request.</exception>
    public static UpstreamRequest From(ServeSettings settings)
    {
        if (!Uri.TryCreate(settings.Upstream, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            throw new UsageException("--upstream must be absolute and start with http:// or https://");
        }

        var options = new AutoTransportOptions
        {
            Endpoint = endpoint,
            Order = [AutoProtocol.Sse, AutoProtocol.HttpStream],
            Method = RequestMethod.Parse(settings.Method, settings.Data),
            Body = settings.Data is null ? null : RequestData.Read(settings.Data),
            Headers = settings.Headers,
            EndOfStream = settings.OnEnd,
            Reconnect = Reconnect,
        };
        try
        {
            options.Validate();
            return new UpstreamRequest(options, settings.Verbose ? new TransportServices { LoggerFactory = new VerboseLog() } : null);
        }
        catch (ArgumentException e)
        {
            throw UsageException.From(e);
        }
    }

    /// <summary>The request of the command line.</summary>
    public Transport Open() => new AutoTransport(options, services);
}
