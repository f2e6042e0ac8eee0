using System.IO.Compression;
using Perennial.Http;

namespace Perennial.Gateway.Answers;

/// <summary>Decides whether a response is a stream, and takes its body if it is one.</summary>
internal static class StreamTaker
{
    private const int FirstBlock = 4 * 1024;

    /// <summary>Takes the body of a stream from its response. Returns null if the response is no stream; its body is then
    /// complete.</summary>
    /// <param name="response">The response. Its content is replaced.</param>
    /// <param name="options">The gateway's options.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels the call, while the first bytes or events are awaited.</param>
    /// <exception cref="IOException">The upstream's response broke off.</exception>
    public static async ValueTask<UpstreamStream?> TryTakeAsync(
        HttpResponseMessage response, GatewayOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var format = StreamHints.FormatOf(response);
        if (format == BodyFormat.Other || StreamHints.MayBeEndless(response, format == BodyFormat.Json) || Decoder(response.Content) is not { } decode)
        {
            return null;
        }

        var content = response.Content;
        var body = decode(await content.ReadAsStreamAsync(cancellationToken));
        if (format is null)
        {
            (format, body) = await LookAsync(body, cancellationToken);
            if (format != BodyFormat.EventStream)
            {
                response.Content = Again(content, body);
                return null;
            }
        }

        var isLines = format == BodyFormat.Json;
        var hint = StreamHints.DialectOf(response, isLines);
        response.Content = new ByteArrayContent([]);
        var stream = new UpstreamStream(response, content, body, isLines, options, time);
        try
        {
            await stream.RecognizeAsync(hint, cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads the first bytes of a body without a content type. The returned body has all bytes.</summary>
    private static async ValueTask<(BodyFormat Format, Stream Body)> LookAsync(Stream body, CancellationToken cancellationToken)
    {
        var block = new byte[FirstBlock];
        var length = 0;
        BodyFormat? format = null;
        while (format is null && length < block.Length)
        {
            var read = await body.ReadAsync(block.AsMemory(length), cancellationToken);
            length += read;
            format = read == 0 ? BodyFormat.Other : FirstBytes.Recognize(block.AsSpan(0, length));
        }

        return (format ?? BodyFormat.Other, new PrefixedStream(block.AsMemory(0, length), body));
    }

    private static StreamContent Again(HttpContent content, Stream body)
    {
        var again = new StreamContent(body);
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            again.Headers.TryAddWithoutValidation(name, values);
        }

        return again;
    }

    /// <summary>How to decode a body; null if the gateway does not know its encoding. Bodies without a type are decoded only as they
    /// are.</summary>
    private static Func<Stream, Stream>? Decoder(HttpContent content)
    {
        var encoding = content.Headers.NonValidated.TryGetValues("Content-Encoding", out var values)
            ? values.ToString().ToLowerInvariant()
            : "";
        return encoding switch
        {
            "" or "identity" => static body => body,
            "gzip" when IsTyped(content) => static body => new GZipStream(body, CompressionMode.Decompress),
            "deflate" when IsTyped(content) => static body => new ZLibStream(body, CompressionMode.Decompress),
            "br" when IsTyped(content) => static body => new BrotliStream(body, CompressionMode.Decompress),
            _ => null,
        };
    }

    private static bool IsTyped(HttpContent content) => content.Headers.NonValidated.Contains("Content-Type");
}
