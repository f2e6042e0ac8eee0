using System.Buffers;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>The stream below a WebSocket. Combines consecutive frames into one write, and keeps no memory between writes.</summary>
/// <remarks>The WebSocket writes each frame with one call, and never two at a time.</remarks>
internal sealed class GatheringStream(Stream inner) : Stream
{
    private const int MostHeld = 64 * 1024;

    private byte[]? _held;
    private int _count;
    private volatile bool _moreFollows;

    /// <summary>
    /// Whether the next frame may wait for the one after it. The sender sets it before each frame; the last frame must not wait.
    /// </summary>
    public bool MoreFollows { set => _moreFollows = value; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_count == 0 && (!_moreFollows || buffer.Length >= MostHeld))
        {
            return inner.WriteAsync(buffer, cancellationToken);
        }

        if (_count + buffer.Length > MostHeld)
        {
            return WriteHeldAndAsync(buffer, cancellationToken);
        }

        _held ??= ArrayPool<byte>.Shared.Rent(MostHeld);
        buffer.Span.CopyTo(_held.AsSpan(_count));
        _count += buffer.Length;
        return _moreFollows ? ValueTask.CompletedTask : WriteHeldAsync(cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        _count > 0 ? Task.CompletedTask : inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // The buffer is not returned to the pool here: a write may still use it. The garbage collector frees it.
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask WriteHeldAndAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        await WriteHeldAsync(cancellationToken);
        await WriteAsync(buffer, cancellationToken);
    }

    private async ValueTask WriteHeldAsync(CancellationToken cancellationToken)
    {
        var (held, count) = (_held!, _count);
        (_held, _count) = (null, 0);
        await inner.WriteAsync(held.AsMemory(0, count), cancellationToken);
        ArrayPool<byte>.Shared.Return(held);
    }
}
