using System.Buffers;
using System.Text.Json;

namespace Perennial.HttpStreams;

/// <summary>Reads one answer to a poll: a JSON value, an array of them, or JSON lines.</summary>
internal sealed class PollAnswer(int maxMessageBytes, bool opensEnvelopes)
{
    private const int BlockSize = 16 * 1024;

    /// <summary>Adds the messages of the answer to the batch, and returns how many bytes it had.</summary>
    /// <exception cref="TransportException">A message, or a JSON document as a whole, is larger than allowed.</exception>
    public async Task<long> ReadAsync(Stream body, bool isJson, MessageBatch batch, CancellationToken cancellationToken)
    {
        var lines = new NdjsonParser(maxMessageBytes, opensEnvelopes);
        var document = new ArrayBufferWriter<byte>();
        var block = ArrayPool<byte>.Shared.Rent(BlockSize);
        long total = 0;
        try
        {
            while (await body.ReadAsync(block, cancellationToken).ConfigureAwait(false) is > 0 and var count)
            {
                total += count;
                if (!isJson)
                {
                    lines.Parse(block.AsSpan(0, count), batch);
                    continue;
                }

                ThrowIfTooLarge(document.WrittenCount + count);
                document.Write(block.AsSpan(0, count));
            }

            if (isJson)
            {
                AddDocument(document.WrittenSpan, batch);
            }
            else
            {
                lines.ParseEnd(batch);
            }

            return total;
        }
        finally
        {
            lines.Release();
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private void AddDocument(ReadOnlySpan<byte> json, MessageBatch batch)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                Add(json.Trim(" \t\r\n"u8), batch);
                return;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                Add(json[start..(int)reader.BytesConsumed], batch);
            }
        }
        catch (JsonException)
        {
            batch.Add(json);    // left to be found malformed, as a whole
        }
    }

    private void Add(ReadOnlySpan<byte> value, MessageBatch batch)
    {
        if (!value.IsEmpty && (!opensEnvelopes || !MessageEnvelope.TryOpen(value, batch, out _)))
        {
            batch.Add(value);
        }
    }

    private void ThrowIfTooLarge(int length)
    {
        if (length > maxMessageBytes)
        {
            throw new TransportException(
                TransportErrorCode.MessageTooLarge, $"The answer to a poll is larger than MaxMessageBytes ({maxMessageBytes} bytes).");
        }
    }
}
