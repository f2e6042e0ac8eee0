namespace Perennial;

/// <summary>UI messages of the AI SDK. Only their header shows them: other streams may begin with <c>{"type":"start"}</c>, too.</summary>
internal sealed class AISdkDialect() : Dialect("ai-sdk")
{
    public override bool IsAnnouncedBy(HttpResponseMessage response) => response.Headers.NonValidated.Contains("x-vercel-ai-ui-message-stream");

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
}
