using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Perennial.Gateway.Exchanges;

/// <summary>
/// An error of the gateway itself: problem details (RFC 9457) with the <c>error</c> object that clients of model providers show.
/// </summary>
internal static class GatewayError
{
    /// <summary>The field by which clients of OpenAI and Anthropic know that they should not repeat the request.</summary>
    private const string ShouldRetry = "x-should-retry";

    /// <summary>Answers with an error. Does nothing if the response has started.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The status.</param>
    /// <param name="code">The code for programs.</param>
    /// <param name="detail">The sentence for a person, without secrets.</param>
    /// <param name="isFinal">Whether a repeat gets the same answer, or may be paid again.</param>
    public static async Task SendAsync(HttpContext context, int status, string code, string detail, bool isFinal = false)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            return;
        }

        response.StatusCode = status;
        response.ContentType = "application/problem+json";
        response.ContentLength = null;
        response.Headers.CacheControl = "no-store";
        if (isFinal)
        {
            response.Headers[ShouldRetry] = "false";
        }

        await using var writer = new Utf8JsonWriter(response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteString("title"u8, Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status));
        writer.WriteNumber("status"u8, status);
        writer.WriteString("detail"u8, detail);
        writer.WriteString("code"u8, code);
        writer.WriteStartObject("error"u8);
        writer.WriteString("message"u8, detail);
        writer.WriteString("type"u8, "gateway_error"u8);
        writer.WriteString("code"u8, code);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Answers that the client may repeat the request soon.</summary>
    public static Task BusyAsync(HttpContext context, string code, string detail)
    {
        context.Response.Headers.RetryAfter = "1";
        return SendAsync(context, StatusCodes.Status503ServiceUnavailable, code, detail);
    }
}
