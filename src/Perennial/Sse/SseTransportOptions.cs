using Perennial.Http;

namespace Perennial.Sse;

/// <summary>What an <see cref="SseTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record SseTransportOptions : HttpTransportOptions;
