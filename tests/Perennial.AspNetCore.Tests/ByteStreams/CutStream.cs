namespace Perennial.AspNetCore.Tests.ByteStreams;

/// <summary>A stream that breaks after so many bytes in one direction, as a line does that is cut.</summary>
internal sealed class CutStream(Stream inner, long left, bool isUpstream) : Stream
{
    private long _left = left;

    public bool IsCut { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (isUpstream)
        {
            return await inner.ReadAsync(buffer, cancellationToken);
        }

        if (buffer.IsEmpty)
        {
            return await inner.ReadAsync(buffer, cancellationToken);
        }

        if (_left == 0)
        {
            // The cut is one byte beyond: a stream that ends here in an orderly way is not cut.
            if (await inner.ReadAsync(new byte[1], cancellationToken) > 0)
            {
                throw Cut();
            }

            return 0;
        }

        var count = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = isUpstream ? (int)Math.Min(buffer.Length, _left) : buffer.Length;
        await inner.WriteAsync(buffer[..count], cancellationToken);
        _left -= isUpstream ? count : 0;
        if (count < buffer.Length)
        {
            throw Cut();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private IOException Cut()
    {
        IsCut = true;
        inner.Dispose();
        return new IOException("Cut by the test.");
    }
}
