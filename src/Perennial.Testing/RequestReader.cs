using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Perennial.Testing;

/// <summary>Reads the HTTP/1.1 requests of one connection, one after the other. Not thread-safe.</summary>
internal sealed class RequestReader(PipeReader input, int connectionIndex)
{
    private const int MaxHeadBytes = 64 * 1024;
    private const int MaxBodyBytes = 64 * 1024 * 1024;

    private static readonly byte[] EndOfLine = "\r\n"u8.ToArray();
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();

    /// <summary>Reads the next request, or null when the client has closed its end instead of sending one.</summary>
    /// <exception cref="InvalidDataException">That is not HTTP/1.1, or too large.</exception>
    /// <exception cref="EndOfStreamException">The client closed its end inside the request.</exception>
    public async Task<RecordedRequest?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await HasMoreAsync(cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var lines = (await ReadPastAsync(EndOfHead, cancellationToken).ConfigureAwait(false)).Split("\r\n");
        if (lines[0].Split(' ') is not [var method, var target, "HTTP/1.1"])
        {
            throw new InvalidDataException($"'{lines[0]}' is not the first line of an HTTP/1.1 request.");
        }

        var headers = lines.Skip(1).Select(ParseHeader)
            .ToLookup(header => header.Name, header => header.Value, StringComparer.OrdinalIgnoreCase);
        return new RecordedRequest
        {
            Method = method,
            Target = target,
            Headers = headers,
            Body = await ReadBodyAsync(headers, cancellationToken).ConfigureAwait(false),
            ConnectionIndex = connectionIndex,
        };
    }

    private async Task<ReadOnlyMemory<byte>> ReadBodyAsync(ILookup<string, string> headers, CancellationToken cancellationToken)
    {
        if (headers["Transfer-Encoding"].LastOrDefault() is { } coding && coding.EndsWith("chunked", StringComparison.OrdinalIgnoreCase))
        {
            return await ReadChunkedBodyAsync(cancellationToken).ConfigureAwait(false);
        }

        if (headers["Content-Length"].FirstOrDefault() is not { } length)
        {
            return default;
        }

        return await ReadExactlyAsync(ParseSize(length, NumberStyles.None), cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReadOnlyMemory<byte>> ReadChunkedBodyAsync(CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>();
        while (true)
        {
            var sizeLine = await ReadPastAsync(EndOfLine, cancellationToken).ConfigureAwait(false);
            var size = ParseSize(sizeLine.Split(';')[0].Trim(), NumberStyles.AllowHexSpecifier);
            if (size == 0)
            {
                break;
            }

            if (body.WrittenCount + size > MaxBodyBytes)
            {
                throw new InvalidDataException($"The request body is larger than {MaxBodyBytes} bytes.");
            }

            body.Write(await ReadExactlyAsync(size, cancellationToken).ConfigureAwait(false));
            await ReadPastAsync(EndOfLine, cancellationToken).ConfigureAwait(false);
        }
        while (await ReadPastAsync(EndOfLine, cancellationToken).ConfigureAwait(false) is not "")
        {
            // Trailers are read and not kept.
        }
        return body.WrittenMemory;
    }

    private async Task<bool> HasMoreAsync(CancellationToken cancellationToken)
    {
        var read = await input.ReadAtLeastAsync(1, cancellationToken).ConfigureAwait(false);
        input.AdvanceTo(read.Buffer.Start);
        return !read.Buffer.IsEmpty;
    }

    private async Task<string> ReadPastAsync(byte[] delimiter, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (TryReadPast(read.Buffer, delimiter, out var text, out var consumed))
            {
                input.AdvanceTo(consumed);
                return text;
            }
            if (read.IsCompleted)
            {
                throw new EndOfStreamException("The client closed its end inside a request.");
            }

            if (read.Buffer.Length > MaxHeadBytes)
            {
                throw new InvalidDataException($"There is no end of the request's head within {MaxHeadBytes} bytes.");
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static bool TryReadPast(ReadOnlySequence<byte> buffer, byte[] delimiter, out string text, out SequencePosition consumed)
    {
        var reader = new SequenceReader<byte>(buffer);
        var isFound = reader.TryReadTo(out ReadOnlySequence<byte> bytes, delimiter);
        text = isFound ? Encoding.Latin1.GetString(bytes) : "";
        consumed = reader.Position;
        return isFound;
    }

    private async Task<byte[]> ReadExactlyAsync(int size, CancellationToken cancellationToken)
    {
        // A pipe waits for a byte even if none is asked for.
        if (size == 0)
        {
            return [];
        }

        var read = await input.ReadAtLeastAsync(size, cancellationToken).ConfigureAwait(false);
        if (read.Buffer.Length < size)
        {
            throw new EndOfStreamException("The client closed its end inside a request.");
        }

        var bytes = read.Buffer.Slice(0, size);
        var copy = bytes.ToArray();
        input.AdvanceTo(bytes.End);
        return copy;
    }

    private static (string Name, string Value) ParseHeader(string line) => line.IndexOf(':', StringComparison.Ordinal) switch
    {
        > 0 and var colon => (line[..colon], line[(colon + 1)..].Trim()),
        _ => throw new InvalidDataException($"'{line}' is not a header."),
    };

    private static int ParseSize(string text, NumberStyles style) =>
        int.TryParse(text, style, CultureInfo.InvariantCulture, out var size) && size is >= 0 and <= MaxBodyBytes
            ? size
            : throw new InvalidDataException($"'{text}' is not a size from 0 to {MaxBodyBytes} bytes.");
}
