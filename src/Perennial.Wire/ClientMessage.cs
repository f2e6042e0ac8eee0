using System.Buffers;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>What a client says by one message in <c>perennial.v1</c>.</summary>
internal enum ClientMessageKind
{
    /// <summary>Nothing that this version knows; to be ignored.</summary>
    Unknown,
    Sender,
    Send,
    Stop,
}

/// <summary>Reads what <see cref="ClientMessageWriter"/> writes: one message of a client. Pure; takes nothing that docs/protocol.md does not allow.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Number">The number of a send; the lowest one without an answer, of a sender.</param>
/// <param name="SenderId">Who a sender is.</param>
/// <param name="Data">What is sent, copied; null where it is larger than allowed.</param>
/// <param name="IsBinary">Whether that is bytes.</param>
internal readonly record struct ClientMessage(ClientMessageKind Kind, long Number = 0, string? SenderId = null, byte[]? Data = null, bool IsBinary = false)
{
    private const int SenderIdLength = 22;      // 128 bits in base64url
    private const string SenderIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly SearchValues<char> SenderIdCharacters = SearchValues.Create(SenderIdAlphabet);
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 512 };

    /// <summary>Reads a message.</summary>
    /// <param name="json">The message.</param>
    /// <param name="maxBytes">The most bytes that may be sent.</param>
    /// <returns>Null where it is not what the page allows.</returns>
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

    /// <summary>The number of a send of which only the beginning is there; null where it does not say.</summary>
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
