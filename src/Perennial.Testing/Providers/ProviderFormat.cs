using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>The bytes in which a provider answers: events, whole answers, errors and paths. Stateless and thread-safe.</summary>
internal abstract class ProviderFormat(Dialect dialect)
{
    /// <summary>A fixed time, in seconds since 1970, so that answers are the same in each run.</summary>
    protected const int Created = 1_764_460_800;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Dialect Dialect => dialect;

    public virtual string ContentType => "text/event-stream";

    /// <summary>Whether the model can call a tool in this format.</summary>
    public virtual bool HasToolCalls => true;

    /// <summary>Whether an error's code must be a whole number.</summary>
    public virtual bool HasNumericCodes => false;

    /// <summary>Whether a client may go on by GET with the id of the last event that it has.</summary>
    public virtual bool HasEventIds => false;

    /// <summary>What an official client takes as its base URL, relative to the server.</summary>
    public abstract string BasePath { get; }

    /// <summary>Where a prompt for a stream is posted, relative to the server.</summary>
    public abstract string PromptPath { get; }

    /// <summary>The body of a prompt for a stream.</summary>
    public abstract string SampleRequest { get; }

    /// <summary>Whether a POST asks for an answer.</summary>
    public abstract bool IsPrompt(Prompt request);

    /// <summary>Whether the answer is a stream.</summary>
    public abstract bool IsStreamed(Prompt prompt);

    /// <summary>The events of a whole answer, each with its frame.</summary>
    public abstract IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt);

    /// <summary>What is sent instead of the event of that index and all later ones.</summary>
    public abstract string ErrorEvent(ProviderError error, Prompt prompt, int index);

    /// <summary>A whole answer to a request for no stream.</summary>
    public virtual JsonNode Document(ScriptedAnswer answer, Prompt prompt) =>
        throw new NotSupportedException($"{dialect} has streams only.");

    /// <summary>The body of a refusal.</summary>
    public abstract JsonNode ErrorBody(int status, ProviderError error, Prompt prompt);

    /// <summary>Headers of each answer beside its content type.</summary>
    public virtual IEnumerable<(string Name, string Value)> Headers(Prompt prompt) => [];

    /// <summary>Answers a request that asks for no answer of the model. Null: not found.</summary>
    /// <param name="request">The request.</param>
    /// <param name="body">Its body, read as JSON.</param>
    public virtual PlainAnswer? Other(RecordedRequest request, Prompt body) => null;

    /// <summary>Writes JSON as providers do: in one line, with as few escapes as JSON allows.</summary>
    public static string Json(JsonNode node)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Relaxed))
        {
            node.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    protected static string Event(JsonNode data) => $"data: {Json(data)}\n\n";

    protected static string Event(string name, JsonNode data) => $"event: {name}\n{Event(data)}";

    protected static JsonNode Arguments((string Name, string Arguments) call) => JsonNode.Parse(call.Arguments)!;

    /// <summary>Splits the arguments of a tool call, as models stream them.</summary>
    protected static IEnumerable<string> Halves(string arguments)
    {
        var middle = arguments.Length / 2;
        return [arguments[..middle], arguments[middle..]];
    }

    protected static bool PathEndsWith(Prompt request, string end) => request.Path.EndsWith(end, StringComparison.Ordinal);
}

/// <summary>A response that is no answer of a model. Null: no body.</summary>
internal sealed record PlainAnswer(int Status, JsonNode? Body = null);
