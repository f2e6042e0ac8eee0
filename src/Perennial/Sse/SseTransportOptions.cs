using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.Sse;

/// <summary>What an <see cref="SseTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record SseTransportOptions : HttpTransportOptions
{
    /// <summary>The defaults.</summary>
    public SseTransportOptions()
    {
    }

    /// <summary>What another transport over HTTP was told, as far as it concerns this one.</summary>
    [SetsRequiredMembers]
    internal SseTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }
}
