using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore;

/// <summary>
/// The request that <c>PerennialChatClient</c> posts: <c>{"messages":[…],"options":{…},"tools":[…]}</c>, with messages and options in the
/// platform's own JSON, whatever the JSON options of the application are. Immutable.
/// </summary>
[JsonConverter(typeof(ChatRequestConverter))]
public sealed record ChatRequest
{
    /// <summary>Gets the messages.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>
    /// Gets the options that the client set, or <see langword="null"/>. Its tools are declarations without an implementation: the model may
    /// call them, and the client invokes them. The client chose all of this; pass on only what it may choose.
    /// </summary>
    public ChatOptions? Options { get; init; }
}
