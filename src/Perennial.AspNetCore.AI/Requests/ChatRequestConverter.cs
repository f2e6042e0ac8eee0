using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Perennial.Chats;

namespace Perennial.AspNetCore.Requests;

/// <summary>Reads and writes <see cref="ChatRequest"/>. Members with other names are ignored.</summary>
internal sealed class ChatRequestConverter : JsonConverter<ChatRequest>
{
    public override ChatRequest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty(ChatJson.Messages, out var messages)
            || messages.Deserialize(ChatJson.Of<IList<ChatMessage>>(ChatJson.Default)) is not { } read)
        {
            throw new JsonException("A chat request must be a JSON object with the member 'messages', an array of messages.");
        }

        var chat = root.TryGetProperty(ChatJson.Options, out var given)
            ? given.Deserialize(ChatJson.Of<ChatOptions>(ChatJson.Default))
            : null;
        if (root.TryGetProperty(ChatJson.Tools, out var tools) && tools.ValueKind == JsonValueKind.Array)
        {
            chat ??= new ChatOptions();
            chat.Tools = [.. tools.EnumerateArray().Select(DeclarationOf)];
        }

        return new ChatRequest { Messages = [.. read], Options = chat };
    }

    public override void Write(Utf8JsonWriter writer, ChatRequest value, JsonSerializerOptions options) =>
        ChatRequestWriter.Write(writer, value.Messages, value.Options);

    private static AITool DeclarationOf(JsonElement tool)
    {
        if (tool.ValueKind != JsonValueKind.Object || TextOf(tool, "name") is not { Length: > 0 } name)
        {
            throw new JsonException("A tool of a chat request must be a JSON object with the member 'name', a text.");
        }

        return AIFunctionFactory.CreateDeclaration(
            name,
            TextOf(tool, "description"),
            tool.TryGetProperty("parameters", out var parameters) ? parameters.Clone() : AIJsonUtilities.CreateJsonSchema(typeof(object)));
    }

    private static string? TextOf(JsonElement tool, string member) =>
        tool.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
