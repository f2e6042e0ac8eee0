using System.Buffers;
using System.Text.Json;

namespace Perennial;

/// <summary>
/// A message as JSON, where the protocol itself has no place for an id and a type:
/// <c>{"id":"…","type":"…","data":…}</c>, or <c>"binary":"base64"</c> in place of <c>data</c> (docs/protocol.md).
/// </summary>
internal static class MessageEnvelope
{
    /// <summary>Adds what the envelope holds to the batch: a message, or an id alone. False where this is no envelope.</summary>
    /// <exception cref="TransportException">The id is longer than any header.</exception>
    public static bool TryOpen(ReadOnlySpan<byte> json, MessageBatch batch, out bool hasId)
    {
        hasId = false;
        try
        {
            return TryFind(json, out var parts) && parts.TryAddTo(json, batch, out hasId);
        }
        // Half a surrogate pair is valid JSON, but no string; base64 may be none.
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static bool TryFind(ReadOnlySpan<byte> json, out Parts parts)
    {
        parts = default;
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = reader.ValueTextEquals("data"u8) ? Member.Data
                : reader.ValueTextEquals("id"u8) ? Member.Id
                : reader.ValueTextEquals("type"u8) ? Member.Type
                : reader.ValueTextEquals("binary"u8) ? Member.Binary
                : Member.Other;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var isString = reader.TokenType == JsonTokenType.String;
            reader.Skip();
            parts.Set(member, start..(int)reader.BytesConsumed, isString);
        }

        return !reader.Read();      // what follows the object is an error
    }

    private enum Member
    {
        Other,
        Id,
        Type,
        Data,
        Binary,
    }

    private struct Parts
    {
        private Range? _id;
        private Range? _type;
        private Range? _data;
        private bool _dataIsString;
        private bool _isBinary;

        public void Set(Member member, Range range, bool isString)
        {
            switch (member)
            {
                case Member.Id when isString:
                    _id = range;
                    break;
                case Member.Type when isString:
                    _type = range;
                    break;
                case Member.Data or Member.Binary:
                    _data = range;
                    _dataIsString = isString;
                    _isBinary = member == Member.Binary;
                    break;
            }
        }

        public readonly bool TryAddTo(ReadOnlySpan<byte> json, MessageBatch batch, out bool hasId)
        {
            hasId = false;
            if (_id is null && _type is null && _data is null)
            {
                return false;
            }

            var scratch = ArrayPool<byte>.Shared.Rent(json.Length);     // unescaped, all of it is shorter
            try
            {
                var id = Id(json, scratch);
                var data = Data(json, scratch.AsSpan(id.Length));
                var type = _type is { } range ? ToText(json[range]) : null;
                hasId = !id.IsEmpty;
                var isRetry = type is "perennial.retry";
                if (isRetry)
                {
                    batch.RetryDelay = ControlEvents.RetryDelay(data) ?? batch.RetryDelay;
                }

                if (!isRetry && (_type is not null || _data is not null))
                {
                    batch.Add(data, id, string.IsNullOrEmpty(type) ? null : type, _isBinary);
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
        private readonly ReadOnlySpan<byte> Id(ReadOnlySpan<byte> json, Span<byte> scratch)
        {
            if (_id is not { } range)
            {
                return default;
            }

            var id = Unescape(json[range], scratch);
            if (id.Length > MessageBatch.LargestId)
            {
                throw new TransportException(TransportErrorCode.MessageTooLarge, $"A message id is larger than {MessageBatch.LargestId} bytes.");
            }

            return id.ContainsAny("\r\n\0"u8) ? default : id;
        }

        private readonly ReadOnlySpan<byte> Data(ReadOnlySpan<byte> json, Span<byte> scratch)
        {
            if (_data is not { } range)
            {
                return default;
            }

            if (!_isBinary)
            {
                return _dataIsString ? Unescape(json[range], scratch) : json[range];
            }

            var reader = new Utf8JsonReader(json[range]);
            reader.Read();
            return reader.GetBytesFromBase64();
        }

        private static string? ToText(ReadOnlySpan<byte> token)
        {
            var reader = new Utf8JsonReader(token);
            reader.Read();
            return reader.GetString();
        }

        private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> token, Span<byte> scratch)
        {
            var reader = new Utf8JsonReader(token);
            reader.Read();
            return scratch[..reader.CopyString(scratch)];
        }
    }
}
