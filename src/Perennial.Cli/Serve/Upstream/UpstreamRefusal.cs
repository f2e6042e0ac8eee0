using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>What the upstream refused is refused in the same way; what it did not answer is an error of the gateway.</summary>
internal sealed class UpstreamRefusal(TransportException reason) : IResult
{
    /// <summary>
    /// Whether the upstream may have acted on the request: it was sent, and there is no answer that says that it was refused. Then a repeat gets
    /// this answer again, because asking again may cost a second time.
    /// </summary>
    public bool MayHaveActed => reason.HttpStatus is { } status
        ? (int)status >= 500 && (int)status is not (StatusCodes.Status503ServiceUnavailable or 529) || (int)status < 400
        : reason.Code is TransportErrorCode.Interrupted or TransportErrorCode.ConnectionLost or TransportErrorCode.UnexpectedContentType
            or TransportErrorCode.ProtocolViolation;

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
