namespace Perennial;

/// <summary>AG-UI: a run from <c>RUN_STARTED</c> to <c>RUN_FINISHED</c> or <c>RUN_ERROR</c>.</summary>
internal sealed class AGUIDialect() : Dialect("ag-ui")
{
    public override bool IsShownBy(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"RUN_STARTED\""u8) && DialectJson.TypeOf(message.Data) is "RUN_STARTED";

    public override DialectSignal Judge(in DialectMessage message) => !DialectJson.MayHave(message.Data, "\"RUN_"u8) ? DialectSignal.None : DialectJson.TypeOf(message.Data) switch
    {
        "RUN_FINISHED" => DialectSignal.Last,
        "RUN_ERROR" => DialectSignal.Failed,
        _ => DialectSignal.None,
    };
}
