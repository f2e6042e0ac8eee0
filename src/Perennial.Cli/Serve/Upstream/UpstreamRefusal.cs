using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>What the upstream refused is refused in the same way; what it did not answer is an error of the gateway.</summary>
internal sealed class UpstreamRefusal(TransportException reason) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var status = reason.HttpStatus is { } refusal && (int)refusal >= 400 ? (int)refusal
            : reason.Code is TransportErrorCode.ConnectTimeout ? StatusCodes.Status504GatewayTimeout
            : StatusCodes.Status502BadGateway;
        if (reason.RetryAfter is { } wait)
        {
            httpContext.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return TypedResults.Problem($"The upstream did not answer with a stream. {reason.Message}", statusCode: status).ExecuteAsync(httpContext);
    }
}
