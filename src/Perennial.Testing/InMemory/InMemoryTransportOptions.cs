using System.Diagnostics.CodeAnalysis;

namespace Perennial.Testing;

/// <summary>Options for <see cref="InMemoryTransport"/>. All of them have defaults.</summary>
public sealed record InMemoryTransportOptions : TransportOptions
{
    /// <summary>Creates options whose <see cref="TransportOptions.Endpoint"/> is <see cref="DefaultEndpoint"/>.</summary>
    [SetsRequiredMembers]
    public InMemoryTransportOptions() => Endpoint = DefaultEndpoint;

    /// <summary>
    /// Gets the URL that a transport in memory names unless it is given another one. Nothing is ever looked up or connected there.
    /// </summary>
    public static Uri DefaultEndpoint { get; } = new("http://memory.test/");

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Schemes => ["memory", "http", "https"];
}
