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
    public ResponseConnection? Recognised { get; private set; }

    public override bool AlwaysMarksEnd => Recognised?.AlwaysMarksEnd ?? SpeaksPerennial;

    public override bool NeedsEndMarker => Recognised?.NeedsEndMarker ?? SpeaksPerennial;

    public override bool HasId => Recognised?.HasId ?? _resumesAfterId;

    public override bool HasDelivered => Recognised?.HasDelivered ?? false;

    public override StreamSignal Classify(in StreamMessage message) => Recognised!.Classify(in message);

    public override void Parse(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        if (Recognised is { } known)
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
        if (Recognised is null)
        {
            Begin(BodyFormat.Other, batch);
        }

        Recognised!.ParseEnd(batch);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        _first.Release();
        if (Recognised is { } known)
        {
            await known.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Begin(BodyFormat format, MessageBatch batch)
    {
        Recognised = read(format);
        Recognised.Parse(_first.Bytes, batch);
        _first.Release();
    }
}
