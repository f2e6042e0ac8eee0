using System.Text.Json.Serialization;

namespace Perennial.Wire;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FailureData))]
[JsonSerializable(typeof(GapData))]
[JsonSerializable(typeof(HelloData))]
[JsonSerializable(typeof(RefusalData))]
[JsonSerializable(typeof(RequestRefusalData))]
[JsonSerializable(typeof(RetryData))]
[JsonSerializable(typeof(StatusData))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>The answer to <c>DELETE</c>.</summary>
/// <param name="Status">One of <see cref="StatusNames"/>.</param>
internal sealed record StatusData(string Status);
