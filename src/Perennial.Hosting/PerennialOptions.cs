using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>What the manager of a host is told, and the transports it knows by name. Checked as a whole when the host starts.</summary>
public sealed class PerennialOptions
{
    /// <summary>What the manager is told.</summary>
    public TransportManagerOptions Manager { get; set; } = new();

    /// <summary>The transports that can be asked for by name. Names tell case apart.</summary>
    public IDictionary<string, NamedTransport> Transports { get; } = new Dictionary<string, NamedTransport>(StringComparer.Ordinal);

    /// <summary>What could not be read from the configuration.</summary>
    internal List<string> Problems { get; } = [];
}

/// <summary>A transport to be made when its name is asked for.</summary>
/// <param name="Kind">One of the names of <see cref="TransportManagerOptions.Kinds"/>, such as <c>sse</c>.</param>
/// <param name="Options">What it is told.</param>
public sealed record NamedTransport(string Kind, TransportOptions Options)
{
    /// <summary>
    /// Gets the name of the <see cref="IHttpClientFactory"/> client whose message handlers carry the transport's requests, or
    /// <see langword="null"/> (the default) for the transport's own connections.
    /// </summary>
    /// <remarks>
    /// Delegating handlers, the primary handler, its pool and its rotation are the client's. The transport's
    /// <see cref="Http.HttpTransportOptions.Http"/> must keep its defaults, the primary handler must have <c>AllowAutoRedirect</c> off,
    /// and the client must have no default request headers. The client's <see cref="HttpClient.Timeout"/> and
    /// <see cref="HttpClient.BaseAddress"/> have no effect: a stream may take as long as it takes.
    /// </remarks>
    public string? HttpClient { get; init; }
}
