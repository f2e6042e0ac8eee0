using System.Text;
using System.Text.Json;

namespace Perennial.Requests;

/// <summary>
/// Writes and reads <c>requestId</c>, <c>done</c> and <c>error</c>, as <see cref="RequestConvention.RequestId"/> describes them.
/// </summary>
internal static class RequestIdConvention
{
    public static ReadOnlyMemory<byte> Write(string id, ReadOnlySpan<byte> value)
    {
        var (kind, hasId) = RequestJson.Inspect(value, "requestId"u8);
        if (kind != JsonTokenType.StartObject)
        {
            throw new ArgumentException("A request must be a JSON object, so that its requestId can be added.", nameof(value));
        }

        if (hasId)
        {
            throw new ArgumentException("The request already has a member requestId, which the transport adds itself.", nameof(value));
        }

        var members = value[(value.IndexOf((byte)'{') + 1)..];
        var head = Encoding.ASCII.GetBytes($$"""{"requestId":"{{id}}"{{(members.TrimStart(RequestJson.Space)[0] == '}' ? "" : ",")}}""");
        return (byte[])[.. head, .. members];
    }

    public static bool Read(in StreamMessage message, out ReplyContent reply) => RequestJson.Read(message, TryReadMembers, out reply);

    private static bool TryReadMembers(ref Utf8JsonReader reader, ReadOnlyMemory<byte> message, out ReplyContent reply)
    {
        string? id = null;
        RequestError? error = null;
        var (isLast, isEmpty) = (false, true);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("requestId"u8);
            var isDone = reader.ValueTextEquals("done"u8);
            var isError = reader.ValueTextEquals("error"u8);
            reader.Read();
            id = isId && reader.TokenType == JsonTokenType.String ? reader.GetString() : id;
            isLast |= isDone && reader.TokenType == JsonTokenType.True;
            isEmpty &= isId || (isDone && isLast);
            error = isError ? RequestJson.Error(ref reader) : error;
            reader.Skip();
        }

        reply = new ReplyContent { Id = id ?? "", Data = message, IsLast = isLast || error is not null, IsEmpty = isLast && isEmpty, Error = error };
        return id is not null && !reader.Read();
    }
}
