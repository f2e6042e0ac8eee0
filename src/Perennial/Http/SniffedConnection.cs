namespace Perennial.Http;

/// <summary>
/// A response whose content type does not name a format. Its first bytes determine the format, and are then parsed first. Bytes are kept
/// only while more than one format is possible (<see cref="FirstBytes"/>).
/// </summary>
/// <param name="response">The response.</param>
/// <param name="body">Its body.</param>
/// <param name="http">Sends the messages.</param>
/// <param name="context">The number of the attempt, and the id after which to resume.</param>
/// <param name="read">Creates the connection that parses the format, or throws if the transport does not read it.</param>
internal sealed class SniffedConnection(
    HttpResponseMessage response, Stream body, HttpExchange http, ConnectContext context, Func<BodyFormat, ResponseConnection> read)
    : ResponseConnection(response, body, http, context)
{
    private readonly LineBuffer _first = new();
    private readonly bool _resumesAfterId = context.LastEventId is not null;

    /// <summary>The connection that parses the body. <see langword="null"/> before the format is known.</summary>
    public ResponseConnection? Recognized { get; private set; }

    public override bool AlwaysMarksEnd => Recognized?.AlwaysMarksEnd ?? SpeaksPerennial;

    public override bool NeedsEndMarker => Recognized?.NeedsEndMarker ?? SpeaksPerennial;

    public override bool HasId => Recognized?.HasId ?? _resumesAfterId;

    public override bool HasDelivered => Recognized?.HasDelivered ?? false;

    public override StreamSignal Classify(in StreamMessage message) => Recognized!.Classify(in message);

    public override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (Recognized is { } known)
        {
            known.Parse(bytes, batch);
            return;
        }

        _first.Append(bytes);
        if (FirstBytes.Recognize(_first.Bytes) is { } format)
        {
            Begin(format, batch);
        }
    }

    public override void ParseEnd(MessageBatch batch)
    {
        if (Recognized is null)
        {
            Begin(BodyFormat.Other, batch);
        }

        Recognized!.ParseEnd(batch);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        _first.Release();
        if (Recognized is { } known)
        {
            await known.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Begin(BodyFormat format, MessageBatch batch)
    {
        Recognized = read(format);
        Recognized.Parse(_first.Bytes, batch);
        _first.Release();
    }
}
