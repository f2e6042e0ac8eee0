using System.IO.Compression;
using System.Net;
using System.Text;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// Reads the error message in the body of an error response: JSON, plain text, or the title of a page. Reads at most 64 KiB, for at most 2
/// s. Never throws for a body that cannot be read; the message is then null.
/// </summary>
internal static class ErrorBody
{
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads the body. The response cannot be used afterwards.</summary>
    public static async Task<ServerError> ReadAsync(HttpResponseMessage response, TimeProvider time, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols)
        {
            return default;     // what follows is of another protocol, and would be waited for
        }

        using var timer = new CancellationTokenSource(MostTime, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        var body = new byte[MostBytes];
        var length = 0;
        try
        {
            var content = Decompressed(await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false), response);
            await using (content.ConfigureAwait(false))
            {
                while (length < MostBytes && await content.ReadAsync(body.AsMemory(length), limit.Token).ConfigureAwait(false) is > 0 and var count)
                {
                    length += count;
                }
            }
        }
        catch (Exception e) when (HttpErrors.IsNetwork(e) || e is OperationCanceledException or InvalidDataException)
        {
            // The bytes that arrived before the failure may be enough.
        }

        return Read(body.AsMemory(0, length), ProtocolHeaders.MediaType(response) ?? "");
    }

    /// <summary>
    /// Reads a body of any type. JSON and HTML are recognized by their first characters, since gateways often send a wrong content type.
    /// </summary>
    public static ServerError Read(ReadOnlyMemory<byte> body, string mediaType)
    {
        body = body.Trim(" \t\r\n"u8);
        if (body.Span is [(byte)'{' or (byte)'[', ..])
        {
            return ServerError.FromJson(body);
        }

        if (Text(body.Span) is not { Length: > 0 } text)
        {
            return default;
        }

        if (text[0] == '<')
        {
            return new ServerError(Title(text), null);
        }

        var isJsonString = text[0] == '"' && mediaType.EndsWith("json", StringComparison.OrdinalIgnoreCase);
        return isJsonString ? ServerError.FromJson(body) : new ServerError(text, null);
    }

    /// <summary>Decompresses a body that the HTTP stack did not, because it had not offered the encoding.</summary>
    private static Stream Decompressed(Stream content, HttpResponseMessage response) =>
        response.Content.Headers.ContentEncoding.LastOrDefault() switch
    {
        "gzip" or "x-gzip" => new GZipStream(content, CompressionMode.Decompress),
        "br" => new BrotliStream(content, CompressionMode.Decompress),
        "deflate" => new ZLibStream(content, CompressionMode.Decompress),
        _ => content,
    };

    /// <summary>
    /// Decodes the body as UTF-8. Returns null if it is not UTF-8 or contains characters that no text contains. An incomplete last
    /// character, cut off by the size limit, is omitted.
    /// </summary>
    private static string? Text(ReadOnlySpan<byte> body)
    {
        if (body.Length >= MostBytes - 2)
        {
            var end = body.Length;
            while (end > body.Length - 4 && (body[end - 1] & 0xC0) == 0x80)
            {
                end--;
            }

            body = body[..(end - 1)];
        }

        try
        {
            var text = StrictUtf8.GetString(body);
            return text.AsSpan().ContainsAnyInRange('\0', '\b') ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The title of a page, on one line. Null if there is none.</summary>
    private static string? Title(string html)
    {
        var tag = html.IndexOf("<title", StringComparison.OrdinalIgnoreCase);
        var start = tag < 0 ? -1 : html.IndexOf('>', tag);
        var end = start < 0 ? -1 : html.IndexOf("</title", start, StringComparison.OrdinalIgnoreCase);
        return end > start + 1
            ? string.Join(' ', WebUtility.HtmlDecode(html[(start + 1)..end]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            : null;
    }
}
