using System.Text.Json.Serialization;

namespace Perennial.Cli.Serve.Page;

/// <param name="Text">The visitor's question.</param>
internal sealed record DemoQuestion(string Text);

/// <param name="Run">The id of the run with the answer.</param>
internal sealed record DemoAnswer(string Run);

/// <param name="Line">The name of the line.</param>
/// <param name="Plain">The base URL of streams over this line.</param>
/// <param name="Buffered">The base URL of streams over this line and a buffering proxy.</param>
internal sealed record DemoLineAddress(string Line, string Plain, string Buffered);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DemoQuestion))]
[JsonSerializable(typeof(DemoAnswer))]
[JsonSerializable(typeof(DemoLineAddress))]
internal sealed partial class DemoJson : JsonSerializerContext;
