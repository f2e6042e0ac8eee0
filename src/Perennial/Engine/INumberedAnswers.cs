namespace Perennial.Engine;

/// <summary>Takes what a peer says of numbered messages. Thread safe.</summary>
internal interface INumberedAnswers
{
    /// <summary>The peer has all messages up to a number, but for those it refused.</summary>
    /// <param name="connection">The number of the connection on which it said so.</param>
    /// <param name="received">The number.</param>
    /// <returns>Whether that was news.</returns>
    /// <exception cref="TransportException">No message has such a number yet.</exception>
    bool Acknowledge(int connection, long received);

    /// <summary>The peer will not take a message.</summary>
    /// <param name="connection">The number of the connection on which it said so.</param>
    /// <param name="number">The message's number.</param>
    /// <param name="error">Why.</param>
    /// <exception cref="TransportException">No message has such a number yet.</exception>
    void Refuse(int connection, long number, TransportException error);
}
