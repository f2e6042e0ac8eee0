using System.Buffers;
using System.Text.Json;
using Perennial.Wire;

namespace Perennial;

/// <summary>Adds what an envelope (<see cref="EnvelopeReader"/>) holds to a batch of messages.</summary>
internal static class MessageEnvelope
{
    /// <summary>Adds what the envelope holds to the batch: a message, or an id alone. False where this is no envelope.</summary>
    /// <exception cref="TransportException">The id is longer than any header.</exception>
    public static bool TryOpen(ReadOnlySpan<byte> json, MessageBatch batch, out bool hasId)
    {
        hasId = false;
        try
        {
            return EnvelopeReader.TryFind(json, out var envelope) && TryAdd(json.Length, in envelope, batch, out hasId);
        }
        // Half a surrogate pair is valid JSON, but no string; base64 may be none.
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static bool TryAdd(int length, in EnvelopeReader envelope, MessageBatch batch, out bool hasId)
    {
        hasId = false;
        var scratch = ArrayPool<byte>.Shared.Rent(length);     // unescaped, all of it is shorter
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

    /// <summary>The id; none where a header could not carry it back, as the HTML standard has it for NUL (9.2.6).</summary>
    private static ReadOnlySpan<byte> ReadId(in EnvelopeReader envelope, Span<byte> scratch)
    {
        var id = envelope.ReadId(scratch);
        if (id.Length > MessageBatch.LargestId)
        {
            throw new TransportException(TransportErrorCode.MessageTooLarge, $"A message id is larger than {MessageBatch.LargestId} bytes.");
        }

        return id.ContainsAny("\r\n\0"u8) ? default : id;
    }
}
