using System.Buffers;
using System.Text.Json;
using Perennial.Wire;

namespace Perennial;

/// <summary>Adds the content of an envelope (<see cref="EnvelopeReader"/>) to a batch of messages.</summary>
internal static class MessageEnvelope
{
    /// <summary>Adds the content to the batch: a message, or only an id. Returns false if the JSON is not an envelope.</summary>
    /// <exception cref="TransportException">The id is longer than a header can be.</exception>
    public static bool TryOpen(ReadOnlySpan<byte> json, MessageBatch batch, out bool hasId)
    {
        hasId = false;
        try
        {
            return EnvelopeReader.TryFind(json, out var envelope) && TryAdd(json.Length, in envelope, batch, out hasId);
        }
        // Half a surrogate pair is valid JSON but not a valid string, and binary may be malformed base64.
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static bool TryAdd(int length, in EnvelopeReader envelope, MessageBatch batch, out bool hasId)
    {
        hasId = false;
        var scratch = ArrayPool<byte>.Shared.Rent(length);     // unescaped, every text is shorter
        try
        {
            var id = ReadId(in envelope, scratch);
            var data = envelope.ReadData(scratch.AsSpan(id.Length));
            var type = envelope.ReadType();
            hasId = !id.IsEmpty;
            var isRetry = type is EventNames.Retry;
            if (isRetry)
            {
                batch.RetryDelay = ControlData.ReadRetry(data) ?? batch.RetryDelay;
            }

            if (!isRetry && envelope.HoldsEvent)
            {
                batch.Add(data, id, string.IsNullOrEmpty(type) ? null : type, envelope.IsBinary);
            }
            else if (hasId)
            {
                batch.MoveCursor(id);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>
    /// Reads the id. Empty if a header cannot carry it; the HTML standard ignores ids with NUL for the same reason (section 9.2.6).
    /// </summary>
    private static ReadOnlySpan<byte> ReadId(in EnvelopeReader envelope, Span<byte> scratch)
    {
        var id = envelope.ReadId(scratch);
        if (id.Length > MessageBatch.LargestId)
        {
            throw new TransportException(
                TransportErrorCode.MessageTooLarge, $"A message id is larger than {MessageBatch.LargestId} bytes.");
        }

        return id.ContainsAny("\r\n\0"u8) ? default : id;
    }
}
