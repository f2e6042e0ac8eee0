using System.Globalization;

namespace Perennial.Testing;

/// <summary>
/// A transport and a server for it, in the hands of a <see cref="TransportBehavior"/>. The author of a transport writes a subclass. One
/// harness serves one behavior: make a new one for each.
/// </summary>
/// <remarks>
/// The server has one stream. Behaviors call the members one after the other, except that properties may be read at any time.
/// <see cref="TcpTransportHarness"/> does the half that is about a network.
/// </remarks>
public abstract class TransportHarness : IAsyncDisposable
{
    /// <summary>Gets what the transport promises.</summary>
    public abstract TransportTraits Traits { get; }

    /// <summary>Gets how long a behavior waits for something that must happen before it fails. Default 60 s.</summary>
    public virtual TimeSpan Patience => TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets the seed of random choices. Default: the environment variable <c>PERENNIAL_TEST_SEED</c>, or else a random number.
    /// </summary>
    public int Seed { get; init; } =
        int.TryParse(
            Environment.GetEnvironmentVariable("PERENNIAL_TEST_SEED"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var seed)
            ? seed
            : Random.Shared.Next();

    /// <summary>Gets how many connections of transports the server holds at present, or how many of its readers.</summary>
    public abstract int Connections { get; }

    /// <summary>Gets or sets whether new connections are refused. Standing connections go on.</summary>
    public abstract bool Refusing { get; set; }

    /// <summary>
    /// Gets or sets whether nothing passes between transports and the server, as if the line had gone dead: connections stand, new ones are
    /// not answered, and no byte arrives. What was written meanwhile arrives afterwards.
    /// </summary>
    public abstract bool Silent { get; set; }

    /// <summary>Gets the messages that transports have sent and the server has taken, the first one first.</summary>
    public abstract IReadOnlyList<string> ReceivedSends { get; }

    /// <summary>Starts the server.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    public abstract Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Creates a transport to the stream. The caller disposes it.</summary>
    /// <param name="setup">The options it must have (<see cref="TransportSetup.ApplyTo"/>) and its services.</param>
    public abstract Transport CreateTransport(TransportSetup setup);

    /// <summary>Writes a message to the stream, without waiting for readers.</summary>
    /// <param name="text">The payload.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public abstract Task WriteAsync(string text, CancellationToken cancellationToken);

    /// <summary>Completes the stream.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    public abstract Task CompleteAsync(CancellationToken cancellationToken);

    /// <summary>Ends the stream as failed. Called only where <see cref="TransportTraits.TellsFailures"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    public virtual Task FailAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException("This harness tells no failures.");

    /// <summary>Ends all standing connections at once. Bytes on their way are lost.</summary>
    /// <param name="how">
    /// Whether as a broken line or in good order; <see cref="CutMode.Close"/> only where <see cref="TransportTraits.MarksEnd"/>.
    /// </param>
    /// <returns>How many were cut.</returns>
    public abstract int CutAll(CutMode how);

    /// <summary>Stops the server and frees everything.</summary>
    public abstract ValueTask DisposeAsync();
}
