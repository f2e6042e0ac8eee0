using System.Buffers;
using System.Text.Json;

namespace Perennial;

/// <summary>
/// A message as JSON, where the protocol itself has no place for an id and a type:
/// <c>{"id":"…","type":"…","data":…}</c>, or <c>"binary":"base64"</c> in place of <c>data</c> (docs/protocol.md).
/// </summary>
internal static class MessageEnvelope
{
    /// <summary>Adds the message in the envelope to the batch; false where this is no envelope.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> json, MessageBatch batch, out bool hasId)
    {
        hasId = false;
        try
        {
            return TryFind(json, out var parts) && parts.AddTo(json, batch, out hasId);
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

        return reader.TokenType == JsonTokenType.EndObject;
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

        public readonly bool AddTo(ReadOnlySpan<byte> json, MessageBatch batch, out bool hasId)
        {
            hasId = _id is not null;
            if (_data is null && _type is null)
            {
                return false;
            }

            var scratch = ArrayPool<byte>.Shared.Rent(json.Length * 2);
            try
            {
                var id = _id is { } idRange ? Unescape(json[idRange], scratch) : default;
                var data = Data(json, scratch.AsSpan(id.Length));
                batch.Add(data, id, _type is { } type ? ToText(json[type]) : null, _isBinary);
                return true;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(scratch);
            }
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
