using System.Text.Json;

namespace Perennial.Wire;

/// <summary>Finds the members of a client's message, in any order. If a name occurs twice, the last member counts.</summary>
internal ref struct ClientMembers
{
    /// <summary>The kind of the message. Null if the message has no type or a type that the protocol does not define.</summary>
    public ClientMessageKind? Kind { get; private set; }

    public long? Number { get; private set; }

    public bool HasData { get; private set; }

    /// <summary>A reader at the value of <c>data</c>.</summary>
    public Utf8JsonReader Data { get; private set; }

    /// <summary>The position in the message at which the value of <c>data</c> ends.</summary>
    public int DataEnd { get; private set; }

    public bool HasBinary { get; private set; }

    /// <summary>A reader at the value of <c>binary</c>.</summary>
    public Utf8JsonReader Binary { get; private set; }

    /// <summary>Reads an object to its end.</summary>
    /// <returns>False if the message is not an object or is incomplete.</returns>
    public bool TryRead(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader;
            if (!reader.Read())
            {
                return false;
            }

            var value = reader;
            if (!reader.TrySkip())
            {
                return false;
            }

            Take(ref name, ref value, (int)reader.BytesConsumed);
        }

        return reader.TokenType == JsonTokenType.EndObject;
    }

    private void Take(ref Utf8JsonReader name, ref Utf8JsonReader value, int end)
    {
        if (name.ValueTextEquals("type"u8))
        {
            Kind = KindOf(ref value);
        }
        else if (name.ValueTextEquals("number"u8))
        {
            Number = value.TokenType == JsonTokenType.Number && value.TryGetInt64(out var number) ? number : null;
        }
        else if (name.ValueTextEquals("data"u8))
        {
            HasData = true;
            Data = value;
            DataEnd = end;
        }
        else if (name.ValueTextEquals("binary"u8))
        {
            HasBinary = true;
            Binary = value;
        }
    }

    private static ClientMessageKind? KindOf(ref Utf8JsonReader type)
    {
        if (type.TokenType != JsonTokenType.String)
        {
            return null;
        }

        if (type.ValueTextEquals(ClientMessageWriter.Send))
        {
            return ClientMessageKind.Send;
        }

        if (type.ValueTextEquals(ClientMessageWriter.Sender))
        {
            return ClientMessageKind.Sender;
        }

        if (type.ValueTextEquals(ClientMessageWriter.Stop))
        {
            return ClientMessageKind.Stop;
        }

        return EventNames.IsReserved(type.GetString()) ? ClientMessageKind.Unknown : null;
    }
}
