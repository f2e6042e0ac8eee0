using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Perennial.Cli.Serve.Page;

/// <summary>
/// A response as a buffering proxy passes it on: the head at once, the body in large pieces and at its end, regardless of flushes.
/// </summary>
internal sealed class BufferingBody : IHttpResponseBodyFeature
{
    private readonly IHttpResponseBodyFeature _inner;
    private readonly HoldingWriter _writer;

    public BufferingBody(IHttpResponseBodyFeature inner)
    {
        _inner = inner;
        _writer = new HoldingWriter(inner);
    }

    public Stream Stream => _writer.AsStream(leaveOpen: true);

    public PipeWriter Writer => _writer;

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => _inner.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        _inner.SendFileAsync(path, offset, count, cancellationToken);

    public async Task CompleteAsync()
    {
        await ReleaseAsync(CancellationToken.None);
        await _inner.CompleteAsync();
    }

    /// <summary>Passes on the buffered bytes at the end of the response.</summary>
    public ValueTask<FlushResult> ReleaseAsync(CancellationToken cancellationToken) => _writer.ReleaseAsync(cancellationToken);

    private sealed class HoldingWriter(IHttpResponseBodyFeature inner) : PipeWriter
    {
        private const int PieceBytes = 16 * 1024;

        private readonly ArrayBufferWriter<byte> _held = new();
        private bool _isHeadSent;

        public override void Advance(int bytes) => _held.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _held.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => _held.GetSpan(sizeHint);

        public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            if (!_isHeadSent)
            {
                _isHeadSent = true;
                await inner.StartAsync(cancellationToken);
                await inner.Writer.FlushAsync(cancellationToken);
            }

            return _held.WrittenCount < PieceBytes ? default : await ReleaseAsync(cancellationToken);
        }

        public ValueTask<FlushResult> ReleaseAsync(CancellationToken cancellationToken)
        {
            if (_held.WrittenCount == 0)
            {
                return default;
            }

            inner.Writer.Write(_held.WrittenSpan);
            _held.ResetWrittenCount();
            return inner.Writer.FlushAsync(cancellationToken);
        }

        public override void CancelPendingFlush() => inner.Writer.CancelPendingFlush();

        public override void Complete(Exception? exception = null)
        {
            // The response goes on until its end; see ReleaseAsync.
        }
    }
}
