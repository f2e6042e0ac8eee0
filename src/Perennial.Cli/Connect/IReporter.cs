using Perennial.Cli.Terminal;

namespace Perennial.Cli.Connect;

/// <summary>Prints the events of a stream. Called by one thread at a time, in the order of the events.</summary>
internal interface IReporter
{
    /// <summary>Prints a message.</summary>
    /// <exception cref="ReaderGoneException">The reader of the output has closed it.</exception>
    void Message(StreamMessage message);

    /// <summary>Prints any other event, up to <see cref="ClosedEvent"/>, which is last.</summary>
    /// <param name="happened">One of the transport's events.</param>
    /// <exception cref="ReaderGoneException">The reader of the output has closed it.</exception>
    void Event(object happened);
}
