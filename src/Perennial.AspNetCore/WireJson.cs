using System.Text.Json.Serialization;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.WebSockets;

namespace Perennial.AspNetCore;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(GapBody))]
[JsonSerializable(typeof(HelloBody))]
[JsonSerializable(typeof(OperationsReport))]
[JsonSerializable(typeof(RefusedBody))]
[JsonSerializable(typeof(RefusedStopBody))]
[JsonSerializable(typeof(RetryBody))]
[JsonSerializable(typeof(StatusBody))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>Data of <c>perennial.failed</c>.</summary>
internal sealed record ErrorBody(ErrorDetail Error);

internal sealed record ErrorDetail(string Message, string Code);

/// <summary>Data of <c>perennial.gap</c>: the id that could not be honoured, and the id of the next event.</summary>
internal sealed record GapBody(string Requested, string ResumesAt);

/// <summary>Data of <c>perennial.retry</c>: milliseconds.</summary>
internal sealed record RetryBody(long Delay);

/// <summary>Answer to <c>DELETE</c>.</summary>
internal sealed record StatusBody(string Status);
