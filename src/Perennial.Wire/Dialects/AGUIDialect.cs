namespace Perennial;

/// <summary>AG-UI: a run from <c>RUN_STARTED</c> to <c>RUN_FINISHED</c> or <c>RUN_ERROR</c>.</summary>
internal sealed class AGUIDialect() : Dialect("ag-ui")
{
    public override bool IsShownBy(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"RUN_STARTED\""u8) && DialectJson.TypeOf(message.Data) is "RUN_STARTED";

    public override DialectSignal Judge(in DialectMessage message) =>
        !DialectJson.MayHave(message.Data, "\"RUN_"u8) ? DialectSignal.None : DialectJson.TypeOf(message.Data) switch
    {
        "RUN_FINISHED" => DialectSignal.Last,
        "RUN_ERROR" => DialectSignal.Failed,
        _ => DialectSignal.None,
    };

    /// <summary>The end names the thread and the run, as the first event does.</summary>
    public override IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream)
    {
        if (stream.IsComplete)
        {
            return [];
        }

        var (thread, run) = (DialectJson.ValueOf(stream.First.Data, "threadId"u8), DialectJson.ValueOf(stream.First.Data, "runId"u8));
        return !IsShownBy(stream.First) || thread is null || run is null ? null : [DialectWriter.Event(null, writer =>
        {
            writer.WriteString("type"u8, "RUN_FINISHED"u8);
            writer.WritePropertyName("threadId"u8);
            thread.Value.WriteTo(writer);
            writer.WritePropertyName("runId"u8);
            run.Value.WriteTo(writer);
        })];
    }

    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
    [
        DialectWriter.Event(null, writer =>
        {
            writer.WriteString("type"u8, "RUN_ERROR"u8);
            writer.WriteString("message"u8, message);
            writer.WriteString("code"u8, code);
        }),
    ];
}
