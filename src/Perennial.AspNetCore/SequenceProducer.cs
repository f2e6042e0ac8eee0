using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Writes a sequence into a run, one event per item. The next item is asked for while those before it are being recorded.</summary>
internal static class SequenceProducer
{
    /// <summary>One JSON event per item.</summary>
    public static Func<RunWriter, CancellationToken, Task> Of<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return Of(source, item => new RunEvent(EventType: null, JsonSerializer.SerializeToUtf8Bytes(item, typeInfo), RunDataKind.Json));
    }

    private static Func<RunWriter, CancellationToken, Task> Of<T>(IAsyncEnumerable<T> source, Func<T, RunEvent> encode) => async (writer, stop) =>
    {
        var ahead = new WriteAhead(writer);
        try
        {
            await foreach (var item in source.WithCancellation(stop).ConfigureAwait(false))
                await ahead.WriteAsync(encode(item), stop).ConfigureAwait(false);
            await ahead.FinishAsync().ConfigureAwait(false);
        }
        finally
        {
            ahead.Abandon();
        }
    };
}
