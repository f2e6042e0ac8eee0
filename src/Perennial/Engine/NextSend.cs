namespace Perennial.Engine;

/// <summary>What the pipeline does next, over a connection.</summary>
/// <param name="Connection">The connection.</param>
internal readonly record struct NextSend(TransportConnection Connection)
{
    /// <summary>Messages that can not be repeated over this connection, and so have an unknown fate.</summary>
    public IReadOnlyList<OutgoingSend>? Lost { get; init; }

    /// <summary>A message that the protocol cannot carry.</summary>
    public OutgoingSend? TooLarge { get; init; }

    /// <summary>Whose messages follow, which the peer must be told first.</summary>
    public SenderName? Name { get; init; }

    /// <summary>The message that leaves.</summary>
    public OutgoingSend? Send { get; init; }
}
