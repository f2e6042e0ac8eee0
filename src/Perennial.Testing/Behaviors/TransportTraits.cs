namespace Perennial.Testing;

/// <summary>
/// What a transport promises where its protocol decides, so that the suite checks it for no more and no less than that. The defaults are
/// those of a protocol that can do nothing of it.
/// </summary>
public sealed record TransportTraits
{
    /// <summary>
    /// Gets whether the server keeps messages and goes on after an id: none is lost or repeated over a cut. Otherwise a cut must be
    /// announced as a gap.
    /// </summary>
    public bool ResumesExactly { get; init; }

    /// <summary>
    /// Gets whether the server keeps the position of each client, in a session. The stream then goes on over cuts, but no resume point goes
    /// on in another transport.
    /// </summary>
    public bool ServerKeepsPosition { get; init; }

    /// <summary>
    /// Gets whether the protocol marks the end of a stream, so that a connection that closes in good order without it is a lost one.
    /// </summary>
    public bool MarksEnd { get; init; }

    /// <summary>Gets whether the protocol can say that the producer failed.</summary>
    public bool TellsFailures { get; init; }

    /// <summary>Gets whether <see cref="Transport.StopAsync"/> asks the server to stop, and the server says that it did.</summary>
    public bool CanStop { get; init; }

    /// <summary>Gets what is promised of sent messages. Default: the protocol cannot send.</summary>
    public SendPromise Sends { get; init; }

    /// <summary>
    /// Gets how many bytes the protocol's own framing may take of <see cref="TransportOptions.MaxMessageBytes"/>: a message of letters that
    /// is this much smaller must arrive. Default 0.
    /// </summary>
    public int FramingBytes { get; init; }
}

/// <summary>What a protocol promises of a message that is sent.</summary>
public enum SendPromise
{
    /// <summary>It cannot send.</summary>
    None,

    /// <summary>A send ends as <see cref="SendOutcome.Sent"/>.</summary>
    Sent,

    /// <summary>A send ends as <see cref="SendOutcome.Acknowledged"/>; over a cut its outcome may be unknown.</summary>
    Acknowledged,

    /// <summary>A send is acknowledged and arrives once and in order, over any number of cuts.</summary>
    ExactlyOnce,
}
