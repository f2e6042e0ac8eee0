namespace Perennial;

/// <summary>UI messages of the AI SDK. Only their header shows them: other streams may begin with <c>{"type":"start"}</c>, too.</summary>
internal sealed class AISdkDialect() : Dialect("ai-sdk")
{
    private const string Header = "x-vercel-ai-ui-message-stream";

    public override IReadOnlyDictionary<string, string> ResponseHeaders { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal) { [Header] = "v1" }.AsReadOnly();

    public override bool IsAnnouncedBy(HttpResponseMessage response) => response.Headers.NonValidated.Contains(Header);

    public override DialectSignal Judge(in DialectMessage message)
    {
        if (DialectJson.IsDone(message.Data))
        {
            return DialectSignal.EndMarker;
        }

        return message.Data.StartsWith("{\"type\":\"text-"u8) ? DialectSignal.None : DialectJson.TypeOf(message.Data) switch
        {
            "finish" or "abort" => DialectSignal.MayBeLast,
            "error" => DialectSignal.Failed,
            _ => DialectSignal.None,
        };
    }

    public override IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream) => stream.Signal switch
    {
        DialectSignal.EndMarker => [],
        DialectSignal.MayBeLast => [DialectWriter.Done],
        _ => [DialectWriter.OfType("finish"), DialectWriter.Done],
    };

    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
    [
        DialectWriter.Event(null, writer =>
        {
            writer.WriteString("type"u8, "error"u8);
            writer.WriteString("errorText"u8, message);
        }),
        DialectWriter.Done,
    ];
}
