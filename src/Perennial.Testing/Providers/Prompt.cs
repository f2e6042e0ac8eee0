using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>A request for an answer, as far as the answer depends on it.</summary>
/// <param name="Number">1 for the first request for an answer at its server.</param>
/// <param name="Target">Path and query, as sent.</param>
/// <param name="Body">The body.</param>
internal sealed record Prompt(int Number, string Target, JsonObject Body)
{
    /// <summary>A prompt that asks for nothing unusual.</summary>
    public static Prompt Plain { get; } = new(1, "/", []);

    public string Path => Target.Split('?')[0];

    public string Model => Text("model") ?? "scripted";

    /// <summary>A name that is different for each prompt, such as <c>resp_1</c>.</summary>
    public string Id(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{Number}");

    /// <summary>The id of an event of the answer, counted from 1.</summary>
    public string EventId(int number) => string.Create(CultureInfo.InvariantCulture, $"{Number}-{number}");

    /// <summary>A member that is text, or null.</summary>
    public string? Text(string name) => Body[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>A member that is true or false, or null.</summary>
    public bool? Flag(string name) => Flag(Body, name);

    /// <summary>Whether a request for a chat completion asks for the chunk with the usage.</summary>
    public bool AsksForUsage => Body["stream_options"] is JsonObject options && Flag(options, "include_usage") == true;

    /// <summary>The id of a JSON-RPC request; null for a notification.</summary>
    public JsonNode? RpcId => Body["id"]?.DeepClone();

    /// <summary>Reads a body. A request without one has an empty object.</summary>
    public static bool TryRead(RecordedRequest request, int number, [NotNullWhen(true)] out Prompt? prompt)
    {
        try
        {
            var body = request.Body.IsEmpty ? [] : JsonNode.Parse(request.Body.Span) as JsonObject;
            prompt = body is null ? null : new Prompt(number, request.Target, body);
        }
        catch (JsonException)
        {
            prompt = null;      // the caller answers as the provider does
        }

        return prompt is not null;
    }

    private static bool? Flag(JsonObject json, string name) =>
        json[name] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;
}
