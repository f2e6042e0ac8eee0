using System.Text.Json;

namespace Perennial.Wire;

/// <summary>
/// Reads what <see cref="Envelope"/> writes: one pass finds the members, and nothing is copied before it is asked for. Members may come in
/// any order, and unknown ones are ignored. Every method may throw <see cref="JsonException"/>; half a surrogate pair, which is valid JSON
/// but no string, throws <see cref="InvalidOperationException"/>, and <c>binary</c> that is no base64 <see cref="FormatException"/>.
/// </summary>
internal readonly ref struct EnvelopeReader
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly Range? _id;
    private readonly Range? _type;
    private readonly Range? _data;
    private readonly bool _dataIsString;

    private EnvelopeReader(ReadOnlySpan<byte> json, Members members)
    {
        _json = json;
        _id = members.Id;
        _type = members.Type;
        _data = members.Data;
        _dataIsString = members.DataIsString;
        IsBinary = members.IsBinary;
    }

    /// <summary>Whether there is a name or a payload, so that the envelope holds an event.</summary>
    public bool HoldsEvent => _type is not null || _data is not null;

    /// <summary>Whether the payload is bytes.</summary>
    public bool IsBinary { get; }

    /// <summary>Finds the members. Returns false if the JSON is no object, or has none of the members of an envelope.</summary>
    public static bool TryFind(ReadOnlySpan<byte> json, out EnvelopeReader envelope)
    {
        envelope = default;
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        var members = default(Members);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            members.Read(ref reader);
        }

        var isWhole = !reader.Read();      // what follows the object is an error
        envelope = new EnvelopeReader(json, members);
        return isWhole && (envelope.HoldsEvent || envelope._id is not null);
    }

    /// <summary>The event's id; empty where there is none.</summary>
    /// <param name="scratch">Room for the whole envelope: unescaped, every text is shorter.</param>
    public ReadOnlySpan<byte> ReadId(Span<byte> scratch) => _id is { } range ? Unescape(_json[range], scratch) : default;

    /// <summary>The event's name; <see langword="null"/> where there is none.</summary>
    public string? ReadType()
    {
        if (_type is not { } range)
        {
            return null;
        }

        var reader = new Utf8JsonReader(_json[range]);
        reader.Read();
        return reader.GetString();
    }

    /// <summary>The payload: the text of a string, the bytes of base64, or any other value as it is written.</summary>
    /// <param name="scratch">Room for what is left of the envelope.</param>
    public ReadOnlySpan<byte> ReadData(Span<byte> scratch)
    {
        if (_data is not { } range)
        {
            return default;
        }

        if (!IsBinary)
        {
            return _dataIsString ? Unescape(_json[range], scratch) : _json[range];
        }

        var reader = new Utf8JsonReader(_json[range]);
        reader.Read();
        return reader.GetBytesFromBase64();
    }

    private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> token, Span<byte> scratch)
    {
        var reader = new Utf8JsonReader(token);
        reader.Read();
        return scratch[..reader.CopyString(scratch)];
    }

    private enum Member
    {
        Other,
        Id,
        Type,
        Data,
        Binary,
    }

    private struct Members
    {
        public Range? Id { get; private set; }

        public Range? Type { get; private set; }

        public Range? Data { get; private set; }

        public bool DataIsString { get; private set; }

        public bool IsBinary { get; private set; }

        /// <summary>Reads the member at whose name the reader stands, with its value. Of members of one name the last counts.</summary>
        public void Read(ref Utf8JsonReader reader)
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
            Set(member, start..(int)reader.BytesConsumed, isString);
        }

        private void Set(Member member, Range range, bool isString)
        {
            switch (member)
            {
                case Member.Id when isString:
                    Id = range;
                    break;
                case Member.Type when isString:
                    Type = range;
                    break;
                case Member.Data or Member.Binary:
                    (Data, DataIsString, IsBinary) = (range, isString, member == Member.Binary);
                    break;
            }
        }
    }
}
