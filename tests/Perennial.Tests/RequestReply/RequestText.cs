using Perennial.Testing;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Perennial.Tests.RequestReply;

/// <summary>What tests of requests ask and answer.</summary>
/// <param name="Text">Anything.</param>
internal sealed record Words(string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Words))]
internal sealed partial class WordsJson : JsonSerializerContext;

/// <summary>What a server sees of requests, and how a <see cref="InMemoryConnection"/> answers them.</summary>
internal static class RequestText
{
    public static string Member(string json, string name)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(name).ToString();
    }

    public static string IdOf(string request) => Member(request, "requestId");

    /// <summary>A reply by the default convention.</summary>
    /// <param name="request">What it answers.</param>
    /// <param name="members">What else it says.</param>
    public static string Reply(string request, string members = "") =>
        $$"""{"requestId":"{{IdOf(request)}}"{{(members.Length == 0 ? "" : ",")}}{{members}}}""";

    /// <summary>Messages that arrive together, without ids.</summary>
    public static void SayPlain(this InMemoryConnection connection, params string[] texts) => connection.Script(batch =>
    {
        foreach (var text in texts)
        {
            batch.Add(System.Text.Encoding.UTF8.GetBytes(text));
        }

        return ReadOutcome.More;
    });

    /// <summary>One message with an id.</summary>
    public static void SayNumbered(this InMemoryConnection connection, int id, string text) => connection.Script(batch =>
    {
        batch.Add(System.Text.Encoding.UTF8.GetBytes(text), System.Text.Encoding.UTF8.GetBytes($"{id}"));
        return ReadOutcome.More;
    });

    public static string Text(this OutgoingMessage message) => System.Text.Encoding.UTF8.GetString(message.Data.Span);
}
