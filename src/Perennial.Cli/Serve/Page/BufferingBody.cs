using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Perennial.Cli.Serve.Page;

/// <summary>A response as a buffering proxy passes it on: the head at once, the body in large pieces and at its end, whoever flushes.</summary>
internal sealed class BufferingBody : IHttpResponseBodyFeature
{
    private readonly IHttpResponseBodyFeature _inner;

    public BufferingBody(IHttpResponseBodyFeature inner)
    {
        _inner = inner;
        Writer = new HoldingWriter(inner);
    }

    public Stream Stream => Writer.AsStream(leaveOpen: true);

    public PipeWriter Writer { get; }

    public void DisableBuffering()
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => _inner.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        _inner.SendFileAsync(path, offset, count, cancellationToken);

    public Task CompleteAsync() => _inner.CompleteAsync();

    private sealed class HoldingWriter(IHttpResponseBodyFeature inner) : PipeWriter
    {
        private const int PieceBytes = 16 * 1024;

        private int _held;

        public override void Advance(int bytes)
        {
            _held += bytes;
            inner.Writer.Advance(bytes);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.Writer.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.Writer.GetSpan(sizeHint);

        public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            await inner.StartAsync(cancellationToken);
            if (_held < PieceBytes)
            {
                return default;
            }

            _held = 0;
            return await inner.Writer.FlushAsync(cancellationToken);
        }

        public override void CancelPendingFlush() => inner.Writer.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Writer.Complete(exception);
    }
}
