using System.Buffers;
using System.Text.Json;

namespace Perennial.HttpStreams;

/// <summary>
/// The response to one poll: JSON lines, read as they arrive, or a JSON document, read when it is complete. A document is one message, or
/// an array whose elements are messages. Not thread safe.
/// </summary>
internal sealed class PollAnswer : IDisposable
{
    private const int BlockSize = 16 * 1024;

    /// <summary>Also accepts JSON lines that are sent with the type of a document.</summary>
    private static readonly JsonReaderOptions AnyNumberOfValues = new() { AllowMultipleValues = true };

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly int _maxMessageBytes;
    private readonly NdjsonParser _lines;
    private readonly ArrayBufferWriter<byte>? _document;

    public PollAnswer(HttpResponseMessage response, Stream body, int maxMessageBytes, bool opensEnvelopes)
    {
        _response = response;
        _body = body;
        _maxMessageBytes = maxMessageBytes;
        _lines = new NdjsonParser(maxMessageBytes, opensEnvelopes);
        _document = JsonContent.IsDocument(response) ? new ArrayBufferWriter<byte>() : null;
    }

    /// <summary>Waits for bytes, and adds the messages that they complete to the batch. Returns false at the end of the response.</summary>
    /// <exception cref="TransportException">A message or the whole document is larger than allowed.</exception>
    public async ValueTask<bool> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        var block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            var count = await _body.ReadAsync(block, cancellationToken).ConfigureAwait(false);
            batch.BytesReceived = count;
            if (count == 0)
            {
                ParseEnd(batch);
                return false;
            }

            Parse(block.AsSpan(0, count), batch);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    public void Dispose()
    {
        _lines.Release();
        _response.Dispose();
    }

    private void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (_document is null)
        {
            _lines.Parse(bytes, batch);
            return;
        }

        if (bytes.Length > _maxMessageBytes - _document.WrittenCount)
        {
            throw new TransportException(
                TransportErrorCode.MessageTooLarge, $"The answer to a poll is larger than MaxMessageBytes ({_maxMessageBytes} bytes).");
        }

        _document.Write(bytes);
    }

    private void ParseEnd(MessageBatch batch)
    {
        if (_document is null)
        {
            _lines.ParseEnd(batch);
        }
        else
        {
            AddDocument(NdjsonParser.WithoutByteOrderMark(_document.WrittenSpan).Trim(" \t\r\n"u8), batch);
        }
    }

    /// <summary>Adds the messages of a document. If the document is malformed, the messages before the error count.</summary>
    private void AddDocument(ReadOnlySpan<byte> json, MessageBatch batch)
    {
        if (json.IsEmpty)
        {
            return;
        }

        var read = 0;
        try
        {
            var reader = new Utf8JsonReader(json, AnyNumberOfValues);
            while (reader.Read())
            {
                if (reader.CurrentDepth > 0 || reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.EndArray))
                {
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    _lines.Add(json[start..(int)reader.BytesConsumed], batch);
                }

                read = (int)reader.BytesConsumed;
            }
        }
        catch (JsonException)
        {
            batch.AddMalformed(json[read..]);
        }
    }
}
