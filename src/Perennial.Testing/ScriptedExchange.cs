using System.IO.Pipelines;
using System.Text;

namespace Perennial.Testing;

/// <summary>
/// One request and the chance to answer it byte by byte. The helpers write HTTP/1.1; <see cref="WriteAsync(string, CancellationToken)"/>
/// writes anything, and nothing stops a script from breaking the protocol. When the script returns the connection stays open for the
/// next request, finished response or not, unless it called <see cref="Close"/> or <see cref="Reset"/>.
/// Thread safety is that of <see cref="ScriptedConnection"/>.
/// </summary>
public sealed class ScriptedExchange
{
    private readonly ScriptedConnection _connection;
    private readonly PipeReader _input;

    internal ScriptedExchange(RecordedRequest request, ScriptedConnection connection, PipeReader input)
    {
        Request = request;
        _connection = connection;
        _input = input;
    }

    /// <summary>The request, read to the end of its body.</summary>
    public RecordedRequest Request { get; }

    /// <inheritdoc cref="ScriptedConnection.Stopping"/>
    public CancellationToken Stopping => _connection.Stopping;

    /// <summary>
    /// How many bytes the operating system has taken on this connection, earlier responses included. See <see
    /// cref="ScriptedConnection.BytesWritten"/>.
    /// </summary>
    public long BytesWritten => _connection.BytesWritten;

    /// <summary>Answers with a complete response of known length.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="body">The body as text, sent as UTF-8. HEAD gets its length only.</param>
    /// <param name="headers">Headers, sent in this order; Content-Length is added wherever HTTP allows it, and nothing else.</param>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task RespondAsync(int status, string body = "", params (string Name, string Value)[] headers) =>
        RespondAsync(status, Encoding.UTF8.GetBytes(body), headers);

    /// <summary>Answers with a complete response of known length, as above.</summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task RespondAsync(int status, ReadOnlyMemory<byte> body, params (string Name, string Value)[] headers)
    {
        var mayHaveBody = status is >= 200 and not 204 and not 304;
        var head = HttpWire.Head(status, mayHaveBody ? [.. headers, HttpWire.ContentLength(body.Length)] : headers);
        return WriteAsync(Request.Method is "HEAD" ? head : [.. head, .. body.Span]);
    }

    /// <summary>Sends the status line and these headers, no others, and the blank line that ends the head.</summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task WriteHeadAsync(int status, params (string Name, string Value)[] headers) => WriteAsync(HttpWire.Head(status, headers));

    /// <summary>
    /// Sends the head of a 200 response with <c>Content-Type: text/event-stream</c> and chunked encoding, plus these headers. To be
    /// followed by <see cref="WriteChunkAsync(string, CancellationToken)"/>.
    /// </summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task StartEventStreamAsync(params (string Name, string Value)[] headers) =>
        StartChunkedAsync("text/event-stream", headers);

    /// <summary>Sends the head of a 200 response of any content type with chunked encoding, plus these headers.</summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task StartChunkedAsync(string contentType, params (string Name, string Value)[] headers) =>
        WriteHeadAsync(200, [("Content-Type", contentType), ("Transfer-Encoding", "chunked"), .. headers]);

    /// <summary>Sends text, as UTF-8, as one chunk of a chunked body.</summary>
    /// <exception cref="ArgumentException">The text is empty: that would end the body.</exception>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task WriteChunkAsync(string text, CancellationToken cancellationToken = default) =>
        WriteChunkAsync(Encoding.UTF8.GetBytes(text), cancellationToken);

    /// <summary>Sends bytes as one chunk of a chunked body.</summary>
    /// <exception cref="ArgumentException">There are no bytes: that would end the body.</exception>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task WriteChunkAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        if (bytes.IsEmpty)
        {
            throw new ArgumentException("An empty chunk ends the body; that is EndChunksAsync.", nameof(bytes));
        }

        return WriteAsync(HttpWire.Chunk(bytes.Span), cancellationToken);
    }

    /// <summary>Sends the chunk that ends a chunked body.</summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    public Task EndChunksAsync(CancellationToken cancellationToken = default) => WriteAsync("0\r\n\r\n", cancellationToken);

    /// <inheritdoc cref="ScriptedConnection.WriteAsync(string, CancellationToken)"/>
    public Task WriteAsync(string text, CancellationToken cancellationToken = default) => _connection.WriteAsync(text, cancellationToken);

    /// <inheritdoc cref="ScriptedConnection.WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default) =>
        _connection.WriteAsync(bytes, cancellationToken);

    /// <summary>
    /// Reads raw bytes that follow the request, such as those of an upgraded connection; 0 when the client has closed its end.
    /// </summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.AsStream(leaveOpen: true).ReadAsync(buffer, cancellationToken);

    /// <summary>Completes when the client has closed or reset its end. What it sends until then is kept for the next request.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WaitForClientCloseAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                var read = await _input.ReadAsync(cancellationToken).ConfigureAwait(false);
                _input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (IOException)
        {
            // A reset is a close as well.
        }
    }

    /// <inheritdoc cref="ScriptedConnection.ResetAsync"/>
    public Task ResetAsync(CancellationToken cancellationToken = default) => _connection.ResetAsync(cancellationToken);

    /// <inheritdoc cref="ScriptedConnection.Reset"/>
    public void Reset() => _connection.Reset();

    /// <inheritdoc cref="ScriptedConnection.Close"/>
    public void Close() => _connection.Close();
}
