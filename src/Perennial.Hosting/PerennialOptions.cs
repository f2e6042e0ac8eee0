using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>
/// Options for the transports of a host: the manager's options and the transports by name. Validated completely when the host starts.
/// </summary>
public sealed class PerennialOptions
{
    /// <summary>Gets or sets the options of the host's <see cref="TransportManager"/>.</summary>
    public TransportManagerOptions Manager { get; set; } = new();

    /// <summary>Gets the transports by name. Names are case-sensitive.</summary>
    public IDictionary<string, NamedTransport> Transports { get; } = new Dictionary<string, NamedTransport>(StringComparer.Ordinal);

    /// <summary>The settings that could not be read from the configuration, with what is accepted.</summary>
    internal List<string> Problems { get; } = [];
}

/// <summary>A transport that <see cref="NamedTransports.Get"/> creates when its name is used for the first time.</summary>
public sealed record NamedTransport
{
    /// <summary>Gets the kind: one of the names of <see cref="TransportManagerOptions.Kinds"/>, such as <c>sse</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the options of the transport.</summary>
    public required TransportOptions Options { get; init; }

    /// <summary>
    /// Gets the name of the <see cref="IHttpClientFactory"/> client whose message handlers carry the transport's requests, or
    /// <see langword="null"/> (the default) for the transport's own connections.
    /// </summary>
    /// <remarks>
    /// The client's delegating handlers, primary handler, connection pool and handler rotation apply. The transport's
    /// <see cref="Http.HttpTransportOptions.Http"/> must keep its defaults, the primary handler must have <c>AllowAutoRedirect</c> off, and
    /// the client must have no default request headers. The client's <see cref="HttpClient.Timeout"/> and
    /// <see cref="HttpClient.BaseAddress"/> have no effect, because a stream has no time limit.
    /// </remarks>
    public string? HttpClient { get; init; }
}
