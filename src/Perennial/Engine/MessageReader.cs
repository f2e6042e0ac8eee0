using System.Runtime.CompilerServices;

namespace Perennial.Engine;

/// <summary>The sequence of messages. A message that already waits is returned without a task, a lock or an allocation.</summary>
internal sealed class MessageReader(TransportEngine engine, MessageBuffer buffer, CancellationToken cancellationToken)
    : IAsyncEnumerable<StreamMessage>, IAsyncEnumerator<StreamMessage>
{
    private CancellationToken _cancellationToken = cancellationToken;
    private CancellationTokenSource? _linked;
    private StreamMessage _current;
    private bool _isReading;

    public StreamMessage Current => _current;

    public IAsyncEnumerator<StreamMessage> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        var reader = new MessageReader(engine, buffer, _cancellationToken);
        if (cancellationToken.CanBeCanceled && cancellationToken != _cancellationToken)
        {
            reader._linked = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
            reader._cancellationToken = reader._linked.Token;
        }

        return reader;
    }

    public ValueTask<bool> MoveNextAsync() =>
        _isReading && !_cancellationToken.IsCancellationRequested && buffer.TryRead(out _current)
            ? new ValueTask<bool>(true)
            : WaitForNextAsync();

    public ValueTask DisposeAsync()
    {
        if (_isReading)
        {
            _isReading = false;
            engine.EndReading();
        }

        _linked?.Dispose();
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitForNextAsync()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        if (!_isReading)
        {
            var bufferIsFree = engine.BeginReading();
            _isReading = true;
            await bufferIsFree.WaitAsync(_cancellationToken).ConfigureAwait(false);
        }

        while (!buffer.TryRead(out _current))
        {
            if (await buffer.WaitToReadAsync(_cancellationToken).ConfigureAwait(false) is { } end)
            {
                return end.Error is null ? false : throw end.Error;
            }
        }

        return true;
    }
}
