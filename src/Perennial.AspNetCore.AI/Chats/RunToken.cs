using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Perennial.AspNetCore.Chats;

/// <summary>
/// A place in a run of this application, as a continuation token: JSON with the members <c>run</c> and <c>lastEventId</c>.
/// </summary>
/// <param name="Run">The id of the run.</param>
/// <param name="LastEventId">The id of the last event that the reader has.</param>
internal sealed record RunToken(string Run, string LastEventId)
{
    public ResponseContinuationToken ToContinuationToken() => new Lazily(this);

    /// <summary>Reads a token. Returns false if there is none, or if it is another client's.</summary>
    public static bool TryRead(ResponseContinuationToken? token, [NotNullWhen(true)] out RunToken? place)
    {
        place = null;
        if (token is null)
        {
            return false;
        }

        try
        {
            place = (token as Lazily)?.Place ?? JsonSerializer.Deserialize(token.ToBytes().Span, RunTokenJson.Default.RunToken);
        }
        catch (JsonException)
        {
            // A token of the client behind this one.
        }

        return place is { Run.Length: > 0, LastEventId.Length: > 0 };
    }

    /// <summary>Encodes the token only if somebody saves it.</summary>
    private sealed class Lazily(RunToken place) : ResponseContinuationToken
    {
        public RunToken Place => place;

        public override ReadOnlyMemory<byte> ToBytes() => JsonSerializer.SerializeToUtf8Bytes(place, RunTokenJson.Default.RunToken);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunToken))]
internal sealed partial class RunTokenJson : JsonSerializerContext;
