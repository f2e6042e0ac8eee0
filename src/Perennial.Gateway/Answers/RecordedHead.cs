using System.Text.Json;
using System.Text.Json.Serialization;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.Gateway.Answers;

/// <summary>
/// The head of the upstream's response, which is the first record of each run of the gateway. So every reader on every node gets the
/// provider's
/// header fields. Immutable.
/// </summary>
internal sealed record RecordedHead
{
    /// <summary>The type of the first record. Clients of Perennial ignore it.</summary>
    public const string EventType = EventNames.ReservedPrefix + "head";

    /// <summary>The sequence of the record.</summary>
    public const long Sequence = 1;

    /// <summary>The upstream's status.</summary>
    public required int Status { get; init; }

    /// <summary>The name of the stream's dialect; null if the body is recorded as bytes, because it is no stream.</summary>
    public string? Dialect { get; init; }

    /// <summary>The id of a response of OpenAI, by which its client can resume; null for other answers.</summary>
    public string? ResponseId { get; init; }

    /// <summary>The id of a chat of the AI SDK, by which its client can resume; null for other answers.</summary>
    public string? ChatId { get; init; }

    /// <summary>The end-to-end header fields, in order.</summary>
    public required IReadOnlyList<HeadField> Fields { get; init; }

    public RunEvent ToEvent() => new()
    {
        EventType = EventType,
        Data = JsonSerializer.SerializeToUtf8Bytes(this, HeadJson.Default.RecordedHead),
        Kind = RunDataKind.Json,
    };

    /// <summary>Waits for the head of a run. Null if the run ended without one.</summary>
    /// <exception cref="RunStoreException">The store cannot be used.</exception>
    public static async ValueTask<RecordedHead?> WaitAsync(RunLog log, CancellationToken cancellationToken)
    {
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        await using var leaving = cancellationToken.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        while (true)
        {
            var slice = await log.ReadAsync(Sequence - 1, 1, cancellationToken);
            if (!slice.Records.IsEmpty)
            {
                return Read(slice.Records.Span[0].Content);
            }

            await news.WaitAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static RecordedHead? Read(RunEvent item) => string.Equals(item.EventType, EventType, StringComparison.Ordinal)
        ? JsonSerializer.Deserialize(item.Data.Span, HeadJson.Default.RecordedHead)
        : null;
}

/// <summary>One header field.</summary>
internal sealed record HeadField(string Name, string[] Values);

[JsonSerializable(typeof(RecordedHead))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class HeadJson : JsonSerializerContext;
