namespace Perennial.Testing;

/// <summary>How a connection ends.</summary>
public enum CutMode
{
    /// <summary>
    /// By TCP reset, as when a machine, a NAT or a proxy drops a connection: the client sees an error.
    /// Cuts at a chosen byte wait until the bytes before it have reached the client's kernel. On Linux the client can still read them
    /// after the reset; on Windows and macOS a reset makes the kernel discard what was not read yet.
    /// A reset right after the connection was accepted may already fail the client's connect call.
    /// </summary>
    Reset,

    /// <summary>
    /// By an orderly TCP close (FIN), as when a process exits: the client sees the end of the stream, after every byte sent before it.
    /// The HTTP body is not finished: the client has to notice that by itself.
    /// </summary>
    Close,
}
