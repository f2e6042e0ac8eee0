using System.Text.Json.Serialization;

namespace Perennial.Cli.Serve.Page;

/// <param name="Text">What the visitor asks.</param>
internal sealed record DemoQuestion(string Text);

/// <param name="Run">The id of the run that answers.</param>
internal sealed record DemoAnswer(string Run);

/// <param name="Line">The name of the line.</param>
/// <param name="Plain">Where streams are read over it.</param>
/// <param name="Buffered">The same, through a proxy that buffers.</param>
internal sealed record DemoLineAddress(string Line, string Plain, string Buffered);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DemoQuestion))]
[JsonSerializable(typeof(DemoAnswer))]
[JsonSerializable(typeof(DemoLineAddress))]
internal sealed partial class DemoJson : JsonSerializerContext;
