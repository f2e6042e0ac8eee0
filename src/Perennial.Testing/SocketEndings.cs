using System.Buffers.Binary;
using System.Net.Sockets;

namespace Perennial.Testing;

/// <summary>The two ways to end a TCP connection, and the wait that makes the first one exact.</summary>
internal static class SocketEndings
{
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;
    private const int UnacknowledgedSegments = 24;    // offsets into struct tcp_info of linux/tcp.h
    private const int MillisecondsSinceLastSend = 44;
    private const int BytesNotSent = 144;
    private const int TcpInfoBytes = 256;

    // Receivers may hold back an acknowledgement for 40 ms; what left over loopback this long ago has arrived all the same.
    private const uint ArrivedAfterMilliseconds = 5;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(1);

    /// <summary>Ends the connection at once and releases the socket. Does nothing to one that is already closed.</summary>
    public static void End(this Socket socket, CutMode how)
    {
        try
        {
            if (how == CutMode.Reset)
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            else
            {
                CloseInOrder(socket);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster; there is nothing left to end.
        }
        socket.Dispose();
    }

    /// <summary>
    /// Completes when everything sent so far is in the peer's kernel; on other systems than Linux at once, as only Linux can tell.
    /// A peer that has stopped reading keeps it waiting.
    /// </summary>
    /// <exception cref="SocketException">The connection is gone.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public static async Task WaitForDeliveryAsync(this Socket socket, CancellationToken cancellationToken)
    {
        // The system clock on purpose: this waits for the kernel, which a test's manual clock cannot hurry.
        while (OperatingSystem.IsLinux() && !IsDelivered(socket))
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsDelivered(Socket socket)
    {
        Span<byte> info = stackalloc byte[TcpInfoBytes];
        info = info[..socket.GetRawSocketOption(TcpLevel, TcpInfo, info)];
        if (info.Length < BytesNotSent + sizeof(uint))
        {
            return true;
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(info[BytesNotSent..]) == 0
            && (BinaryPrimitives.ReadUInt32LittleEndian(info[UnacknowledgedSegments..]) == 0
                || BinaryPrimitives.ReadUInt32LittleEndian(info[MillisecondsSinceLastSend..]) >= ArrivedAfterMilliseconds);
    }

    private static void CloseInOrder(Socket socket)
    {
        socket.Shutdown(SocketShutdown.Send);
        // Closing a socket with unread input sends a reset instead, so that input has to go first.
        socket.Blocking = false;
        Span<byte> discarded = stackalloc byte[4096];
        while (socket.Available > 0 && socket.Receive(discarded, SocketFlags.None, out var error) > 0 && error == SocketError.Success)
        {
        }
    }
}
