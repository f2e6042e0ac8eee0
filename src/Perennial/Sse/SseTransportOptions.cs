using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.Sse;

/// <summary>Options for <see cref="SseTransport"/>. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record SseTransportOptions : HttpTransportOptions
{
    /// <summary>Creates options with the default values.</summary>
    public SseTransportOptions()
    {
    }

    /// <summary>Copies the options that all transports over HTTP have in common.</summary>
    [SetsRequiredMembers]
    internal SseTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }
}
