using System.IO.Compression;
using System.Net;
using System.Text;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// Reads what the body of an error response says: JSON, plain text, or the title of a page. Reads 64 KiB and for 2 s at most. It never
/// fails: a body that cannot be read says nothing.
/// </summary>
internal static class ErrorBody
{
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads the body; the response is of no further use.</summary>
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
            // What came before may be enough.
        }

        return Read(body.AsMemory(0, length), ProtocolHeaders.MediaType(response) ?? "");
    }

    /// <summary>Reads a body of any type. JSON and HTML are recognised by how they begin, since gateways often give another type.</summary>
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

    /// <summary>Undoes a coding that the HTTP stack left alone, as one does that did not offer it.</summary>
    private static Stream Decompressed(Stream content, HttpResponseMessage response) => response.Content.Headers.ContentEncoding.LastOrDefault() switch
    {
        "gzip" or "x-gzip" => new GZipStream(content, CompressionMode.Decompress),
        "br" => new BrotliStream(content, CompressionMode.Decompress),
        "deflate" => new ZLibStream(content, CompressionMode.Decompress),
        _ => content,
    };

    /// <summary>The body as UTF-8; nothing where it is something else, or holds what no text does. A character that the limit cut in two is left out.</summary>
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

    /// <summary>The title of a page on one line, or <see langword="null"/>.</summary>
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
