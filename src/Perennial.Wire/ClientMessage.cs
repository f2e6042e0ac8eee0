using System.Buffers;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>The kinds of message that a client sends in <c>perennial.v1</c>.</summary>
internal enum ClientMessageKind
{
    /// <summary>A kind that this version does not define. The server ignores it.</summary>
    Unknown,
    Sender,
    Send,
    Stop,
}

/// <summary>
/// One message of a client, as <see cref="ClientMessageWriter"/> writes it. Refuses everything that docs/protocol.md does not allow. Pure.
/// </summary>
/// <param name="Kind">The kind of the message.</param>
/// <param name="Number">For a send: its number. For a sender: its lowest number without an answer.</param>
/// <param name="SenderId">The id of a sender.</param>
/// <param name="Data">A copy of the payload. Null if the payload is larger than allowed.</param>
/// <param name="IsBinary">Whether the payload is bytes.</param>
internal readonly record struct ClientMessage(
    ClientMessageKind Kind, long Number = 0, string? SenderId = null, byte[]? Data = null, bool IsBinary = false)
{
    private const int SenderIdLength = 22;      // 128 bits in base64url
    private const string SenderIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly SearchValues<char> SenderIdCharacters = SearchValues.Create(SenderIdAlphabet);
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 512 };

    /// <summary>Reads a message.</summary>
    /// <param name="json">The message.</param>
    /// <param name="maxBytes">The largest payload accepted, in bytes.</param>
    /// <returns>Null if docs/protocol.md does not allow the message.</returns>
    public static ClientMessage? Read(ReadOnlySpan<byte> json, int maxBytes)
    {
        try
        {
            var members = default(ClientMembers);
            var reader = new Utf8JsonReader(json, Deep);
            if (!members.TryRead(ref reader) || reader.Read())
            {
                return null;
            }

            return members.Kind switch
            {
                ClientMessageKind.Sender => ReadSender(members.Data),
                ClientMessageKind.Send => ReadSend(json, members, maxBytes),
                { } other => new ClientMessage(other),
                null => null,
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)    // the last: half a surrogate pair
        {
            return null;
        }
    }

    /// <summary>The number of a send of which only the first bytes are at hand. Null if they do not hold the number.</summary>
    public static long? NumberOfBeginning(ReadOnlySpan<byte> json)
    {
        try
        {
            var members = default(ClientMembers);
            var reader = new Utf8JsonReader(json, isFinalBlock: false, new JsonReaderState(Deep));
            members.TryRead(ref reader);
            return members is { Kind: ClientMessageKind.Send, Number: >= 1 } ? members.Number : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ClientMessage? ReadSender(Utf8JsonReader data)
    {
        if (data.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        string? id = null;
        long next = 0;
        while (data.Read() && data.TokenType == JsonTokenType.PropertyName)
        {
            var isId = data.ValueTextEquals("id"u8);
            var isNext = data.ValueTextEquals("next"u8);
            data.Read();
            if (isId)
            {
                id = data.GetString();
            }
            else if (isNext)
            {
                next = data.GetInt64();
            }
            else
            {
                data.Skip();
            }
        }

        var isValid = next >= 1 && id is { Length: SenderIdLength } && !id.AsSpan().ContainsAnyExcept(SenderIdCharacters);
        return isValid ? new ClientMessage(ClientMessageKind.Sender, next, id) : null;
    }

    private static ClientMessage? ReadSend(ReadOnlySpan<byte> json, ClientMembers members, int maxBytes)
    {
        if (members.Number is not >= 1 || members.HasData == members.HasBinary)
        {
            return null;
        }

        var message = new ClientMessage(ClientMessageKind.Send, members.Number.Value, IsBinary: members.HasBinary);
        if (members.HasBinary)
        {
            if (members.Binary.TokenType != JsonTokenType.String)
            {
                return null;
            }

            var bytes = members.Binary.GetBytesFromBase64();
            return message with { Data = bytes.Length <= maxBytes ? bytes : null };
        }

        if (members.Data.TokenType == JsonTokenType.String)
        {
            return message with { Data = TextOf(members.Data, maxBytes) };
        }

        var value = json[(int)members.Data.TokenStartIndex..members.DataEnd];
        return message with { Data = value.Length <= maxBytes ? value.ToArray() : null };
    }

    private static byte[]? TextOf(Utf8JsonReader text, int maxBytes)
    {
        if (!text.ValueIsEscaped)
        {
            return text.ValueSpan.Length <= maxBytes ? text.ValueSpan.ToArray() : null;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(text.ValueSpan.Length);
        try
        {
            var length = text.CopyString(buffer);
            return length <= maxBytes ? buffer.AsSpan(0, length).ToArray() : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
