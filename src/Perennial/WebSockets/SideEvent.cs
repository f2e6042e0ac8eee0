using System.Text.Json;
using Perennial.Http;

namespace Perennial.WebSockets;

/// <summary>What a server that speaks <c>perennial.v1</c> says about the connection, and not within the stream.</summary>
internal sealed record SideEvent(SideEventKind Kind)
{
    /// <summary>Which message was refused, or up to which all were received.</summary>
    public long? Number { get; private init; }

    /// <summary>Whether a request to stop was refused.</summary>
    public bool IsOfStop { get; private init; }

    public TimeSpan? Heartbeat { get; private init; }

    private string? Code { get; init; }

    private string? Message { get; init; }

    /// <summary>Reads it from its event; <see langword="null"/> where this is another event.</summary>
    public static SideEvent? Read(in StreamMessage message)
    {
        SideEventKind? kind = !message.NamesItsEventType ? null : message.EventType switch
        {
            "perennial.hello" => SideEventKind.Hello,
            "perennial.ack" => SideEventKind.Acknowledged,
            "perennial.refused" => SideEventKind.Refused,
            _ => null,
        };
        return kind is { } known ? Read(known, message.Data) : null;
    }

    /// <summary>A refusal as an error. What the server says is payload, and stays out of the sentence.</summary>
    public TransportException ToError(string sentence) => new(TransportErrorCode.SendRejected, sentence)
    {
        Delivery = IsOfStop ? null : DeliveryStatus.NotSent,
        ServerCode = Code,
        ServerMessage = Message,
    };

    private static SideEvent Read(SideEventKind kind, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var data = document.RootElement;
            return new SideEvent(kind)
            {
                Number = Integer(data, kind == SideEventKind.Refused ? "number" : "received"),
                IsOfStop = string.Equals(Text(data, "request"), "stop", StringComparison.Ordinal),
                Heartbeat = Member(data, "heartbeat") is { ValueKind: JsonValueKind.Number } seconds && seconds.TryGetDouble(out var value)
                    ? ProtocolHeaders.Heartbeat(value)
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

/// <summary>What a <see cref="SideEvent"/> is about.</summary>
internal enum SideEventKind
{
    Hello,
    Acknowledged,
    Refused,
}
