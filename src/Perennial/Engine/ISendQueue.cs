namespace Perennial.Engine;

/// <summary>
/// The messages that wait to be sent, as the connection loop and its connections see them. Has no effect before the first send. Thread safe.
/// </summary>
internal interface ISendQueue
{
    /// <summary>Sends what waits, because there is a new connection.</summary>
    void Wake();

    /// <summary>Fails what waits, because the session ended.</summary>
    void End(TransportSession session);

    /// <summary>Records that the peer has received all messages up to a number, except those it refused.</summary>
    /// <param name="connection">The number of the connection on which the answer arrived.</param>
    /// <param name="received">The number.</param>
    /// <returns>Whether the answer was new.</returns>
    /// <exception cref="TransportException">No message with this number was sent.</exception>
    bool Acknowledge(int connection, long received);

    /// <summary>Records that the peer refused a message.</summary>
    /// <param name="connection">The number of the connection on which the answer arrived.</param>
    /// <param name="number">The message's number.</param>
    /// <param name="error">The reason.</param>
    /// <exception cref="TransportException">No message with this number was sent.</exception>
    void Refuse(int connection, long number, TransportException error);
}
