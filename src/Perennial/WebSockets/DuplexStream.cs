using System.Buffers;

namespace Perennial.WebSockets;

/// <summary>
/// The stream below a WebSocket. It reads ahead in blocks, holds no block while it waits, reports each arrival of bytes, and lets a
/// ping be written between two frames. One reader at a time; writes are serialized.
/// </summary>
/// <param name="inner">The upgraded connection.</param>
/// <param name="owner">Receives a report of each arrival.</param>
internal sealed class DuplexStream(Stream inner, ISocketOwner owner) : Stream
{
    private const int BlockSize = 16 * 1024;

    private SemaphoreSlim? _writing;    // created by the first write
    private byte[]? _block;
    private int _start;
    private int _end;

    /// <summary>Whether bytes have arrived that were not read yet.</summary>
    public bool HasBytes => _start < _end;

    private SemaphoreSlim Writing => LazyInitializer.EnsureInitialized(ref _writing, static () => new SemaphoreSlim(1, 1))!;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (HasBytes)
        {
            var count = Math.Min(buffer.Length, _end - _start);
            _block.AsSpan(_start, count).CopyTo(buffer.Span);
            _start += count;
            return new ValueTask<int>(count);
        }

        return FillAndReadAsync(buffer, cancellationToken);
    }

    /// <summary>The WebSocket writes each frame in one call. Serialized calls therefore never interleave within a frame.</summary>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Writing.Release();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> FillAndReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Release();
        await inner.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        _block = ArrayPool<byte>.Shared.Rent(BlockSize);
        _end = await inner.ReadAsync(_block, cancellationToken).ConfigureAwait(false);
        if (_end > 0)
        {
            owner.OnBytes(_end);      // the end of the stream does not count as a sign of life
        }

        var count = Math.Min(buffer.Length, _end);
        _block.AsSpan(0, count).CopyTo(buffer.Span);
        _start = count;
        return count;
    }

    private void Release()
    {
        (_start, _end) = (0, 0);
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }
    }
}
