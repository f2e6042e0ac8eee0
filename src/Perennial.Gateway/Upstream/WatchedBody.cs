using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Perennial.Streams;

namespace Perennial.Gateway.Upstream;

/// <summary>
/// The JSON body of a POST while it is forwarded. Keeps at most its first 64 KiB, only until the body ends or is longer, and reads the
/// member <c>id</c> in them: that of a JSON-RPC request, or of a chat of the AI SDK. Safe for one reader, and another thread that gets the
/// id.
/// </summary>
internal sealed class WatchedBody(Stream body) : ReadOnlyBody
{
    private const int MostBytes = 64 * 1024;
    private const int LongestId = 256;

    private static readonly HttpRequestOptionsKey<WatchedBody> Key = new("perennial.gateway.body");
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 1000 };

    private readonly Lock _gate = new();
    private MemoryStream? _head = new();
    private JsonElement? _id;       // once the head is settled

    /// <summary>Watches the body of a request if it is a POST of JSON.</summary>
    public static void Watch(HttpContext context)
    {
        if (HttpMethods.IsPost(context.Request.Method) && context.Request.HasJsonContentType())
        {
            var watched = new WatchedBody(context.Request.Body);
            context.Request.Body = watched;
            context.Features.Set(watched);
        }
    }

    /// <summary>Lets the response to a forwarded request find the body.</summary>
    public static void Attach(HttpContext context, HttpRequestMessage request)
    {
        if (context.Features.Get<WatchedBody>() is { } watched)
        {
            request.Options.Set(Key, watched);
        }
    }

    /// <summary>The id in the body of the request that a response answers: a string or a number. Null if there is none.</summary>
    public static JsonElement? IdOf(HttpResponseMessage response) =>
        response.RequestMessage?.Options.TryGetValue(Key, out var watched) == true ? watched.GetId() : null;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await body.ReadAsync(buffer, cancellationToken);
        if (!buffer.IsEmpty)
        {
            Keep(buffer.Span[..count]);
        }

        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // The upstream may answer before the end of the body was read.
    private JsonElement? GetId()
    {
        lock (_gate)
        {
            return _head is null ? _id : IdIn(HeadLocked());
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_head is null)
            {
                return;
            }

            _head.Write(bytes[..(int)Math.Min(bytes.Length, MostBytes - _head.Length)]);
            if (bytes.IsEmpty || _head.Length == MostBytes)
            {
                _id = IdIn(HeadLocked());
                _head = null;
            }
        }
    }

    private ReadOnlySpan<byte> HeadLocked() => _head!.GetBuffer().AsSpan(0, (int)_head.Length);

    /// <summary>Reads the id in the first bytes of a JSON object, which may break off anywhere.</summary>
    private static JsonElement? IdIn(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, new JsonReaderState(Deep));
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                if (!reader.Read())
                {
                    return null;
                }

                if (isId)
                {
                    return ReadId(ref reader);
                }

                if (!reader.TrySkip())
                {
                    return null;
                }
            }
        }
        // Half of a surrogate pair is valid JSON, but reading it as text throws InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }

        return null;
    }

    private static JsonElement? ReadId(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Number) || reader.ValueSpan.Length > LongestId)
        {
            return null;
        }

        if (reader.TokenType == JsonTokenType.String)
        {
            _ = reader.GetString();
        }

        return JsonElement.ParseValue(ref reader);
    }
}
