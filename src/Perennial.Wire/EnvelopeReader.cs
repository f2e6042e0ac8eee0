using System.Text.Json;

namespace Perennial.Wire;

/// <summary>
/// Reads what <see cref="Envelope"/> writes. One pass finds the members; a value is copied only when its method is called. Members may come
/// in any order, and unknown ones are ignored. Every method may throw <see cref="JsonException"/>. Half a surrogate pair, which is valid
/// JSON but not a valid string, throws <see cref="InvalidOperationException"/>, and <c>binary</c> that is not base64 throws
/// <see cref="FormatException"/>.
/// </summary>
internal ref struct EnvelopeReader
{
    private readonly ReadOnlySpan<byte> _json;
    private Place _id;
    private Place _type;
    private Place _data;
    private bool _dataIsString;

    private EnvelopeReader(ReadOnlySpan<byte> json) => _json = json;

    /// <summary>Whether the envelope holds an event: it has a name or a payload.</summary>
    public readonly bool HoldsEvent => _type.IsFound || _data.IsFound;

    /// <summary>Whether the payload is bytes.</summary>
    public bool IsBinary { get; private set; }

    /// <summary>Finds the members. Returns false if the JSON is not an object or has no member of an envelope.</summary>
    public static bool TryFind(ReadOnlySpan<byte> json, out EnvelopeReader envelope)
    {
        envelope = new EnvelopeReader(json);
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = MemberAt(ref reader);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var isString = reader.TokenType == JsonTokenType.String;
            reader.Skip();
            envelope.Note(member, new Place(start, (int)reader.BytesConsumed), isString);
        }

        var isWhole = !reader.Read();      // what follows the object is an error
        return isWhole && (envelope.HoldsEvent || envelope._id.IsFound);
    }

    /// <summary>The event's id. Empty if it has none.</summary>
    /// <param name="scratch">A buffer as long as the envelope: unescaped, every text is shorter.</param>
    public readonly ReadOnlySpan<byte> ReadId(Span<byte> scratch) => _id.IsFound ? Unescape(_id.In(_json), scratch) : default;

    /// <summary>The event's name. <see langword="null"/> if it has none.</summary>
    public readonly string? ReadType()
    {
        if (!_type.IsFound)
        {
            return null;
        }

        var reader = new Utf8JsonReader(_type.In(_json));
        reader.Read();
        return reader.GetString();
    }

    /// <summary>The payload: the text of a string, the bytes of base64, or any other value as it is written.</summary>
    /// <param name="scratch">A buffer as long as the rest of the envelope.</param>
    public readonly ReadOnlySpan<byte> ReadData(Span<byte> scratch)
    {
        if (!_data.IsFound)
        {
            return default;
        }

        if (!IsBinary)
        {
            return _dataIsString ? Unescape(_data.In(_json), scratch) : _data.In(_json);
        }

        var reader = new Utf8JsonReader(_data.In(_json));
        reader.Read();
        return reader.GetBytesFromBase64();
    }

    private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> token, Span<byte> scratch)
    {
        var reader = new Utf8JsonReader(token);
        reader.Read();
        return scratch[..reader.CopyString(scratch)];
    }

    private static Member MemberAt(ref Utf8JsonReader name) =>
        name.ValueTextEquals("data"u8) ? Member.Data
        : name.ValueTextEquals("id"u8) ? Member.Id
        : name.ValueTextEquals("type"u8) ? Member.Type
        : name.ValueTextEquals("binary"u8) ? Member.Binary
        : Member.Other;

    /// <summary>Records where the value of a member is. If a name occurs twice, the last member counts.</summary>
    private void Note(Member member, Place place, bool isString)
    {
        switch (member)
        {
            case Member.Id when isString:
                _id = place;
                break;
            case Member.Type when isString:
                _type = place;
                break;
            case Member.Data or Member.Binary:
                _data = place;
                _dataIsString = isString;
                IsBinary = member == Member.Binary;
                break;
        }
    }

    private enum Member
    {
        Other,
        Id,
        Type,
        Data,
        Binary,
    }

    /// <summary>The position of a value in the JSON, quotes included. No value ends at 0, so the default means "not found".</summary>
    private readonly record struct Place(int Start, int End)
    {
        public bool IsFound => End != 0;

        public ReadOnlySpan<byte> In(ReadOnlySpan<byte> json) => json[Start..End];
    }
}
