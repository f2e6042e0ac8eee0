namespace Perennial.Gateway.Answers;

/// <summary>The format of streams that the gateway does not know: events or lines that pass as they are, and an abort where they
/// fail.</summary>
internal sealed class PlainDialect : Dialect
{
    private PlainDialect(string name, DialectFraming framing)
        : base(name) => Framing = framing;

    public static PlainDialect Events { get; } = new("plain-events", DialectFraming.ServerSentEvents);

    public static PlainDialect Lines { get; } = new("plain-lines", DialectFraming.JsonLines);

    public static IReadOnlyList<PlainDialect> All { get; } = [Events, Lines];

    public override DialectFraming Framing { get; }

    public override DialectSignal Judge(in DialectMessage message) => DialectSignal.None;

    public override IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream) => [];
}
