using Microsoft.AspNetCore.Http;
using Perennial.Gateway.Answers;
using Perennial.Gateway.Upstream;
using Yarp.ReverseProxy.Forwarder;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// One request that passes through. If the upstream answers with a stream, its body is taken out, to become a run. Used for one request.
/// </summary>
internal sealed class PassingExchange(
    UpstreamAddress upstream, GatewayOptions options, TimeProvider time, Action onFirstByte) : HttpTransformer
{
    /// <summary>The stream that the upstream answered with. Null if the response was passed on.</summary>
    public UpstreamStream? Stream { get; private set; }

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        ForwardedRequest.Write(httpContext, proxyRequest, upstream, options);
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        }

        onFirstByte();
        Stream = ForwardedRequest.IsUpgrade(httpContext)
            ? null
            : await StreamTaker.TryTakeAsync(proxyResponse, options, time, cancellationToken);
        if (Stream is not null)
        {
            return false;
        }

        await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        if (proxyResponse.Headers.NonValidated.TryGetValues("Connection", out var connection))
        {
            foreach (var name in HopHeaders.NamedBy(connection.ToArray()))
            {
                httpContext.Response.Headers.Remove(name);
            }
        }

        return true;
    }
}
