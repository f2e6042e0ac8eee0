using Perennial.Cli.Terminal;

namespace Perennial.Cli.Connect;

/// <summary>Tells what happens to a stream. Called by one thread at a time, in the order in which things happened.</summary>
internal interface IReporter
{
    /// <summary>A message arrived.</summary>
    /// <exception cref="ReaderGoneException">Nobody reads the output any more.</exception>
    void Message(StreamMessage message);

    /// <summary>Anything else happened, up to <see cref="ClosedEvent"/>, which is last.</summary>
    /// <param name="happened">One of the transport's events.</param>
    /// <exception cref="ReaderGoneException">Nobody reads the output any more.</exception>
    void Event(object happened);
}
