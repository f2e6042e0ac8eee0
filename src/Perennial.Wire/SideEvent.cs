using System.Text.Json;

namespace Perennial.Wire;

/// <summary>
/// An event about the connection, not part of the stream, from a server that speaks <c>perennial.v1</c>. Reads what
/// <see cref="SideEventWriter"/> writes. A member that is absent or of another type is <see langword="null"/>.
/// </summary>
internal sealed record SideEvent(SideEventKind Kind)
{
    /// <summary>
    /// For a refusal: the number of the refused message. For an acknowledgement: all messages up to this number were received.
    /// </summary>
    public long? Number { get; private init; }

    /// <summary>Whether the server refused a request to stop.</summary>
    public bool IsOfStop { get; private init; }

    /// <summary>The longest time in which the server sends nothing.</summary>
    public TimeSpan? Heartbeat { get; private init; }

    /// <summary>The reason of a refusal, for programs.</summary>
    public string? Code { get; private init; }

    /// <summary>The reason of a refusal, for a person.</summary>
    public string? Message { get; private init; }

    /// <summary>The kind of an event with this name. <see langword="null"/> if the event belongs to the stream.</summary>
    public static SideEventKind? KindOf(string eventType) => eventType switch
    {
        EventNames.Hello => SideEventKind.Hello,
        EventNames.Acknowledgement => SideEventKind.Acknowledged,
        EventNames.Refusal => SideEventKind.Refused,
        _ => null,
    };

    /// <summary>Reads the data of an event of the given kind.</summary>
    public static SideEvent Read(SideEventKind kind, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var data = document.RootElement;
            return new SideEvent(kind)
            {
                Number = Integer(data, kind == SideEventKind.Refused ? "number" : "received"),
                IsOfStop = string.Equals(Text(data, "request"), RequestRefusalData.Stop, StringComparison.Ordinal),
                Heartbeat = Member(data, "heartbeat") is { ValueKind: JsonValueKind.Number } seconds && seconds.TryGetDouble(out var value)
                    ? WireHeaders.HeartbeatOf(value)
                    : null,
                Code = Text(data, "code"),
                Message = Text(data, "message"),
            };
        }
        // Half a surrogate pair is valid JSON, but no string: reading it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new SideEvent(kind);
        }
    }

    private static JsonElement? Member(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var member) ? member : null;

    private static long? Integer(JsonElement data, string name) =>
        Member(data, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) && value >= 0 ? value : null;

    private static string? Text(JsonElement data, string name) =>
        Member(data, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}

/// <summary>The kinds of <see cref="SideEvent"/>.</summary>
internal enum SideEventKind
{
    Hello,
    Acknowledged,
    Refused,
}
