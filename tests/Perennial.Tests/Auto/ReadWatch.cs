namespace Perennial.Tests.Auto;

/// <summary>
/// An HTTP stack that tells when somebody waits for the body of a stream: its headers have come through, and nothing else.
/// </summary>
internal sealed class ReadWatch() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
{
    private readonly SemaphoreSlim _reads = new(0);

    /// <summary>Completes when one more stream is being read; the body of a refusal does not count.</summary>
    public Task WaitForNextAsync(CancellationToken cancellationToken) => _reads.WaitAsync(cancellationToken);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return response;
        }

        var content = new StreamContent(new Watched(await response.Content.ReadAsStreamAsync(cancellationToken), () => _reads.Release()));
        foreach (var (name, value) in response.Content.Headers.NonValidated)
        {
            content.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)value);
        }

        response.Content = content;
        return response;
    }

    protected override void Dispose(bool disposing)
    {
        _reads.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Watched(Stream inner, Action reading) : Stream
    {
        private Action? _reading = reading;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = inner.ReadAsync(buffer, cancellationToken);
            Interlocked.Exchange(ref _reading, null)?.Invoke();
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
