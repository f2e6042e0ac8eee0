using System.Buffers;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Records a message to a producer from a POST, and answers 202 when it is recorded. Safe from any thread.</summary>
internal sealed class MessageEndpoint(IOptions<PerennialServerOptions> options, MessageRate rate)
{
    private readonly int _maxBytes = options.Value.MaxMessageBytes;

    /// <summary>Records the body of a request as a message, once for each <c>Idempotency-Key</c> of its sender.</summary>
    /// <param name="context">The request.</param>
    /// <param name="log">The run.</param>
    public async Task ReceiveAsync(HttpContext context, RunLog log)
    {
        if (!rate.TryTake(log.Epoch))
        {
            await Problem.TooManyAsync(
                context, "The run gets more messages per second than the server allows. Try again later.", RefusalReasons.TooManyMessages);
        }
        else if (!IdempotencyKey.TryRead(context.Request.Headers[IdempotencyKey.HeaderName], out var key))
        {
            await Problem.BadKeyAsync(context);
        }
        else if (IsBinary(context.Request.ContentType) is not { } isBinary)
        {
            await Problem.SendAsync(
                context,
                StatusCodes.Status415UnsupportedMediaType,
                "The Content-Type must be text/plain or application/json in UTF-8, or application/octet-stream.");
        }
        else if (await ReadBodyAsync(context) is not { } body)
        {
            await Problem.SendAsync(context, StatusCodes.Status413PayloadTooLarge, $"A message may have at most {_maxBytes} bytes.");
        }
        else if (!isBinary && !Utf8.IsValid(body))
        {
            await Problem.SendAsync(context, StatusCodes.Status400BadRequest, "The message must be UTF-8.");
        }
        else
        {
            await AnswerAsync(context, await log.ReceiveAsync(MessageOf(context, body, isBinary, key), CancellationToken.None));
        }
    }

    private static Task AnswerAsync(HttpContext context, ReceiveResult result)
    {
        ReceivedMessages.Count("post", result);
        switch (result.Outcome)
        {
            case ReceiveOutcome.Accepted or ReceiveOutcome.Repeated:
                context.Response.Headers[WireHeaders.Protocol] = WireHeaders.Version;
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                return Task.CompletedTask;
            case ReceiveOutcome.OtherMessage:
                return Problem.KeyReusedAsync(context);
            case ReceiveOutcome.NotTaken:
                context.Response.Headers.Allow = "GET, HEAD, DELETE";
                return Problem.SendAsync(context, StatusCodes.Status405MethodNotAllowed, "This run does not accept messages.");
            case ReceiveOutcome.Full:
                return Problem.TooManyAsync(
                    context, "Too many messages wait for the producer of this run. Try again later.", RefusalReasons.InboxFull);
            default:
                return Problem.SendAsync(context, StatusCodes.Status409Conflict, "The run has ended.");
        }
    }

    private static RunMessage MessageOf(HttpContext context, byte[] body, bool isBinary, string? key) =>
        new() { Data = body, IsBinary = isBinary, Key = key, KeyOwner = key is null ? null : RequestCredentials.HashOf(context) };

    private static bool? IsBinary(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type))
        {
            return null;
        }

        if (type.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var isText = type.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals(MediaTypes.Json, StringComparison.OrdinalIgnoreCase);
        var isUtf8 = !type.Charset.HasValue
            || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase);
        return isText && isUtf8 ? false : null;
    }

    /// <summary>Reads the body. Null if it is larger than allowed; the rest is then neither read nor kept.</summary>
    private async Task<byte[]?> ReadBodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength > _maxBytes)
        {
            return null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > _maxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                return null;
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
