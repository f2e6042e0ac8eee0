using System.Text.Json.Serialization;

namespace Perennial.Wire;

/// <summary>Serializes the data of the protocol's own events and responses.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FailureData))]
[JsonSerializable(typeof(GapData))]
[JsonSerializable(typeof(HelloData))]
[JsonSerializable(typeof(RefusalData))]
[JsonSerializable(typeof(RequestRefusalData))]
[JsonSerializable(typeof(RetryData))]
[JsonSerializable(typeof(StatusData))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>The response to <c>DELETE</c>.</summary>
/// <param name="Status">One of <see cref="StatusNames"/>.</param>
internal sealed record StatusData(string Status);

/// <summary>Data of <c>perennial.failed</c>.</summary>
internal sealed record FailureData(FailureDetail Error);

/// <summary>The error of a failed run.</summary>
internal sealed record FailureDetail(string Message, string Code);

/// <summary>Data of <c>perennial.gap</c>.</summary>
/// <param name="Requested">The id that the server cannot resume after.</param>
/// <param name="ResumesAt">The id of the next event.</param>
internal sealed record GapData(string Requested, string ResumesAt);

/// <summary>Data of <c>perennial.retry</c>.</summary>
/// <param name="Delay">The delay in milliseconds.</param>
internal sealed record RetryData(long Delay);

/// <summary>Data of <c>perennial.hello</c>.</summary>
/// <param name="Heartbeat">The longest time, in seconds, in which the server sends nothing.</param>
/// <param name="Cursor">The id of the event after which the stream continues.</param>
internal sealed record HelloData(double Heartbeat, string Cursor);

/// <summary>Data of <c>perennial.refused</c> for a numbered message.</summary>
internal sealed record RefusalData(long Number, string Code, string Message);

/// <summary>Data of <c>perennial.refused</c> for a request that has no number.</summary>
/// <param name="Request">The refused request: <see cref="Stop"/>.</param>
/// <param name="Code">One of <see cref="RefusalCodes"/>.</param>
/// <param name="Message">A sentence for a person.</param>
internal sealed record RequestRefusalData(string Request, string Code, string Message)
{
    /// <summary>The request to stop.</summary>
    public const string Stop = "stop";
}
