using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Answers with the status of the upstream's refusal, or with a gateway error if the upstream did not answer.</summary>
internal sealed class UpstreamRefusal(TransportException reason) : IResult
{
    /// <summary>
    /// Whether the upstream may have acted on the request: it was sent, and no response refused it. Then a repeat gets this answer again,
    /// because a second request may cost again.
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
