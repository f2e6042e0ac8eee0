using System.Net;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>
/// Handles one request between a transport and the network. Keeps a response that is a document, because the transport reads only streams.
/// Never disposed: the HTTP handler below it is shared.
/// </summary>
internal sealed class DocumentCatcher() : DelegatingHandler(Network)
{
    private static readonly SocketsHttpHandler Network = new()
    {
        AllowAutoRedirect = false,      // the transport follows redirects itself
        AutomaticDecompression = DecompressionMethods.All,
        EnableMultipleHttp2Connections = true,
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        KeepAlivePingDelay = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        UseCookies = false,
    };

    private const int MaxBytes = 64 << 20;

    /// <summary>The document; null if the response was not one. The transport fails when this is set.</summary>
    public UpstreamDocument? Document { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (!UpstreamDocument.IsOne(response))
        {
            return response;
        }

        using (response)
        {
            Document = await UpstreamDocument.ReadAsync(response, MaxBytes, cancellationToken);
        }

        // A refusal that the transport takes as final.
        return new HttpResponseMessage(HttpStatusCode.NotImplemented) { RequestMessage = request };
    }
}
