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
public sealed record NamedTransport(string Kind, TransportOptions Options);
