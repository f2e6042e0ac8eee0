using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>Writes a sequence into a run, one event per item. The next item is read while earlier ones are being recorded.</summary>
internal static class SequenceProducer
{
    /// <summary>One event with text per item.</summary>
    public static Func<RunWriter, CancellationToken, Task> Of(IAsyncEnumerable<string> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Of(source, static text => RunWriter.TextEvent(text, eventType: null));
    }

    /// <summary>One JSON event per item, by reflection.</summary>
    [RequiresUnreferencedCode(RunWriter.NeedsReflection)]
    [RequiresDynamicCode(RunWriter.NeedsReflection)]
    public static Func<RunWriter, CancellationToken, Task> Of<T>(IAsyncEnumerable<T> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Of(source, static item => new RunEvent
        {
            Data = JsonSerializer.SerializeToUtf8Bytes(item, JsonSerializerOptions.Web),
            Kind = RunDataKind.Json,
        });
    }

    /// <summary>One JSON event per item.</summary>
    public static Func<RunWriter, CancellationToken, Task> Of<T>(IAsyncEnumerable<T> source, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return Of(source, item => new RunEvent { Data = JsonSerializer.SerializeToUtf8Bytes(item, typeInfo), Kind = RunDataKind.Json });
    }

    private static Func<RunWriter, CancellationToken, Task> Of<T>(IAsyncEnumerable<T> source, Func<T, RunEvent> encode) =>
        async (writer, stop) =>
    {
        var ahead = new WriteAhead(writer);
        try
        {
            await foreach (var item in source.WithCancellation(stop).ConfigureAwait(false))
            {
                await ahead.WriteAsync(encode(item), stop).ConfigureAwait(false);
            }

            await ahead.FinishAsync().ConfigureAwait(false);
        }
        finally
        {
            ahead.Abandon();
        }
    };
}
