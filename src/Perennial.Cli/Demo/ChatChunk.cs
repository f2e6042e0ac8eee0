using System.Text.Json.Serialization;

namespace Perennial.Cli.Demo;

/// <summary>One piece of an answer, in the format of chat completion streams.</summary>
internal sealed record ChatChunk(string Id, string Object, long Created, string Model, IReadOnlyList<ChatChoice> Choices);

/// <param name="Index">The number of the answer, if there are several.</param>
/// <param name="Delta">The text added to the answer.</param>
/// <param name="FinishReason">The reason why the answer ends; <see langword="null"/> while it goes on.</param>
internal sealed record ChatChoice(int Index, ChatDelta Delta, string? FinishReason);

/// <param name="Content">The token; absent in the last chunk.</param>
internal sealed record ChatDelta([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatChunk))]
internal sealed partial class ChatJson : JsonSerializerContext;
