using System.Net.Sockets;
using System.Text;

namespace Perennial.Testing;

/// <summary>
/// The server's end of one TCP connection, in the hands of a script: it decides about every byte. One task may write while another one
/// reads; <see cref="Close"/>, <see cref="Reset"/> and the properties may be used from any thread. The server disposes of it.
/// </summary>
public sealed class ScriptedConnection
{
    // Small enough that BytesWritten shows how far a write has come before backpressure stopped it.
    private const int WriteBytes = 16 * 1024;

    private readonly Socket _socket;
    private long _bytesWritten;
    private volatile bool _isOver;

    internal ScriptedConnection(Socket socket, int index, CancellationToken stopping)
    {
        _socket = socket;
        Index = index;
        Stopping = stopping;
        Stream = new NetworkStream(socket, ownsSocket: false);
    }

    /// <summary>Which connection it is: 0 for the first the server accepted.</summary>
    public int Index { get; }

    /// <summary>
    /// Is cancelled when the server is disposed. A script that waits for anything else than this connection should watch it.
    /// </summary>
    public CancellationToken Stopping { get; }

    /// <summary>The raw bytes, both ways. What is written here directly is not counted in <see cref="BytesWritten"/>.</summary>
    public Stream Stream { get; }

    /// <summary>
    /// How many bytes the operating system has taken from the script. It stands still while the client does not read and the buffers on
    /// the way are full: then a write stays pending.
    /// </summary>
    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    /// <summary>Sends text as UTF-8, as it is. Completes when the operating system has taken all of it.</summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; part of the text may have been sent.</exception>
    public Task WriteAsync(string text, CancellationToken cancellationToken = default) =>
        WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);

    /// <summary>Sends bytes, as they are. Completes when the operating system has taken all of them.</summary>
    /// <exception cref="IOException">The client is gone. A script need not catch it.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; part of the bytes may have been sent.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        while (!bytes.IsEmpty)
        {
            var piece = bytes[..Math.Min(bytes.Length, WriteBytes)];
            await Stream.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
            Interlocked.Add(ref _bytesWritten, piece.Length);
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>
    /// Waits until the client has closed or reset its end, and discards what it sends until then. To be used when the script expects
    /// nothing more to read.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WaitForClientCloseAsync(CancellationToken cancellationToken = default)
    {
        var discarded = new byte[4096];
        try
        {
            while (await Stream.ReadAsync(discarded, cancellationToken).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is a close as well.
        }
    }

    /// <summary>
    /// Waits until everything written is in the client's kernel, then ends the connection by TCP reset: the client gets every byte, then
    /// an error. Waits as long as the client leaves no room for the bytes. Only Linux can tell; elsewhere the reset comes at once.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; the connection is as it was.</exception>
    public async Task ResetAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _socket.WaitForDeliveryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // The client was faster.
        }
        Reset();
    }

    /// <summary>
    /// Ends the connection by TCP reset at once. Bytes still on their way are lost; <see cref="ResetAsync"/> delivers them first.
    /// </summary>
    public void Reset() => End(CutMode.Reset);

    /// <summary>
    /// Ends the server's half of the connection in an orderly way (FIN): after the bytes written, the client sees the end of the stream.
    /// The other half is closed when the script returns.
    /// </summary>
    public void Close()
    {
        _isOver = true;
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was faster.
        }
    }

    /// <summary>Whether the script has ended the connection, so that no further request is to be read from it.</summary>
    internal bool IsOver => _isOver;

    internal void End(CutMode how)
    {
        _isOver = true;
        _socket.End(how);
    }
}
