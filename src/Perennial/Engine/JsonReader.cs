using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Perennial.Engine;

/// <summary>The sequence of messages, deserialized, alone or with their ids. A message that waits is returned without a task.</summary>
internal sealed class JsonReader<T>(IAsyncEnumerable<StreamMessage> messages, JsonTypeInfo<T> typeInfo)
    : IAsyncEnumerable<T?>, IAsyncEnumerable<JsonMessage<T>>
{
    IAsyncEnumerator<T?> IAsyncEnumerable<T?>.GetAsyncEnumerator(CancellationToken cancellationToken) => Read(cancellationToken);

    IAsyncEnumerator<JsonMessage<T>> IAsyncEnumerable<JsonMessage<T>>.GetAsyncEnumerator(CancellationToken cancellationToken) =>
        Read(cancellationToken);

    private Enumerator Read(CancellationToken cancellationToken) => new(messages.GetAsyncEnumerator(cancellationToken), typeInfo);

    private sealed class Enumerator(IAsyncEnumerator<StreamMessage> messages, JsonTypeInfo<T> typeInfo)
        : IAsyncEnumerator<T?>, IAsyncEnumerator<JsonMessage<T>>
    {
        private T? _value;

        T? IAsyncEnumerator<T?>.Current => _value;

        JsonMessage<T> IAsyncEnumerator<JsonMessage<T>>.Current => new(_value, messages.Current);

        public ValueTask<bool> MoveNextAsync()
        {
            var next = messages.MoveNextAsync();
            return next.IsCompletedSuccessfully ? new ValueTask<bool>(Read(next.Result)) : ReadNextAsync(next);
        }

        public ValueTask DisposeAsync() => messages.DisposeAsync();

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<bool> ReadNextAsync(ValueTask<bool> next) => Read(await next.ConfigureAwait(false));

        private bool Read(bool isThere)
        {
            try
            {
                _value = isThere ? messages.Current.Deserialize(typeInfo) : default;
                return isThere;
            }
            catch (JsonException e)
            {
                var what = $"A message of {messages.Current.Data.Length} bytes is not a JSON {typeof(T).Name}.";
                throw new TransportException(TransportErrorCode.InvalidMessage, what, innerException: e);
            }
        }
    }
}
