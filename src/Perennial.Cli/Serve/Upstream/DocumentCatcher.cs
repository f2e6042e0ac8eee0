using System.Net;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>
/// Stands between one request and the network, and keeps an answer that is a document from a transport, which reads streams alone. Never
/// disposed: the network below it is shared.
/// </summary>
internal sealed class DocumentCatcher() : DelegatingHandler(Network)
{
    private static readonly SocketsHttpHandler Network = new()
    {
        AllowAutoRedirect = false,      // the transport's own business
        AutomaticDecompression = DecompressionMethods.All,
        EnableMultipleHttp2Connections = true,
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        KeepAlivePingDelay = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        UseCookies = false,
    };

    private const int MaxBytes = 64 << 20;

    /// <summary>The document, once there is one. The transport has failed then.</summary>
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

        // A refusal that is final for whichever form was asked for.
        return new HttpResponseMessage(HttpStatusCode.NotImplemented) { RequestMessage = request };
    }
}
