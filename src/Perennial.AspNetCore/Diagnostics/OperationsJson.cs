using System.Text.Json.Serialization;

namespace Perennial.AspNetCore.Diagnostics;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OperationsReport))]
internal sealed partial class OperationsJson : JsonSerializerContext;
