namespace Perennial.Engine;

/// <summary>The pipeline's next step on a connection. At most one of the optional properties is set.</summary>
/// <param name="Connection">The connection.</param>
internal readonly record struct NextSend(TransportConnection Connection)
{
    /// <summary>Messages that cannot be repeated on this connection, so their outcome is unknown.</summary>
    public IReadOnlyList<OutgoingSend>? Lost { get; init; }

    /// <summary>A message that is too large for the protocol.</summary>
    public OutgoingSend? TooLarge { get; init; }

    /// <summary>The sender's name, which must be written before its messages.</summary>
    public SenderName? Name { get; init; }

    /// <summary>The message to send.</summary>
    public OutgoingSend? Send { get; init; }
}
