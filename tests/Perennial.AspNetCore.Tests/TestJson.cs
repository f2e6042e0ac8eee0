using System.Text.Json.Serialization;

namespace Perennial.AspNetCore.Tests;

[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int))]
internal sealed partial class TestJson : JsonSerializerContext;
