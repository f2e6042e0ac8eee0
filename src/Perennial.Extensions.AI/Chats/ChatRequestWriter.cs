using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Perennial.Chats;

/// <summary>Writes the request of a chat, which client and server share. Refuses what JSON cannot carry. Pure.</summary>
internal static class ChatRequestWriter
{
    /// <summary>Writes <c>{"messages":[…],"options":{…},"tools":[…]}</c>.</summary>
    /// <exception cref="NotSupportedException">The options have something that cannot be sent; the message names it.</exception>
    public static void Write(Utf8JsonWriter writer, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        writer.WriteStartObject();
        writer.WritePropertyName(ChatJson.Messages);
        IList<ChatMessage> list = messages as IList<ChatMessage> ?? [.. messages];
        JsonSerializer.Serialize(writer, list, ChatJson.Of<IList<ChatMessage>>(ChatJson.Default));
        if (options is not null)
        {
            writer.WritePropertyName(ChatJson.Options);
            JsonSerializer.Serialize(writer, Sendable(options), ChatJson.Of<ChatOptions>(ChatJson.Default));
            if (options.Tools is { Count: > 0 } tools)
            {
                WriteTools(writer, tools);
            }
        }

        writer.WriteEndObject();
    }

    private static ChatOptions Sendable(ChatOptions options)
    {
        if (options.RawRepresentationFactory is not null)
        {
            throw new NotSupportedException(
                "ChatOptions.RawRepresentationFactory makes objects of a provider's own client. It cannot be sent to a server; leave it unset.");
        }

        var sendable = options.Clone();
        sendable.ContinuationToken = null;
        sendable.AllowBackgroundResponses = null;       // every answer is kept by the server
        return sendable;
    }

    private static void WriteTools(Utf8JsonWriter writer, IList<AITool> tools)
    {
        writer.WriteStartArray(ChatJson.Tools);
        foreach (var tool in tools)
        {
            var declaration = tool as AIFunctionDeclaration
                ?? throw new NotSupportedException(
                    $"The tool '{tool.Name}' cannot be sent to a server. Functions can ({nameof(AIFunctionDeclaration)}).");
            writer.WriteStartObject();
            writer.WriteString("name", declaration.Name);
            writer.WriteString("description", declaration.Description);
            writer.WritePropertyName("parameters");
            declaration.JsonSchema.WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
