using System.Text.Json.Serialization;

namespace Perennial.AspNetCore.Endpoints;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OperationsReport))]
internal sealed partial class OperationsJson : JsonSerializerContext;
