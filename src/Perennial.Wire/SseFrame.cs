using System.Globalization;
using System.Text;

namespace Perennial.Wire;

/// <summary>Encodes one event as the bytes of a <c>text/event-stream</c> (HTML standard, section 9.2). Ends lines with LF. Pure.</summary>
internal static class SseFrame
{
    /// <summary>A comment line. It proves that the connection is alive; without a blank line it cannot dispatch an event.</summary>
    public static ReadOnlyMemory<byte> Heartbeat { get; } = ":\n"u8.ToArray();

    private static ReadOnlySpan<byte> IdField => "id: "u8;
    private static ReadOnlySpan<byte> EventField => "event: "u8;
    private static ReadOnlySpan<byte> DataField => "data: "u8;

    /// <summary>Encodes one event. The array has exactly the right size, because a log keeps it for the life of the run.</summary>
    /// <param name="id">The event's id. <see langword="null"/> omits it, so that the reader's cursor stays where it is.</param>
    /// <param name="eventType">The event's name. <see langword="null"/> or empty omits it.</param>
    /// <param name="data">
    /// The payload. Each of its lines becomes a data line. Empty data becomes one empty data line, since an event without one is not
    /// dispatched. Bytes are written as base64, because an event stream can carry only text.
    /// </param>
    /// <param name="kind">The kind of the payload.</param>
    public static byte[] Encode(RunEventId? id, string? eventType, ReadOnlySpan<byte> data, PayloadKind kind)
    {
        if (kind == PayloadKind.Binary)
        {
            data = Encoding.ASCII.GetBytes(Convert.ToBase64String(data));
        }

        var idText = id?.ToString() ?? "";
        eventType ??= "";
        var frame = new byte[FieldLength(IdField, idText) + FieldLength(EventField, eventType) + DataLength(data) + 1];

        var writer = new FrameWriter(frame);
        writer.Field(IdField, idText);
        writer.Field(EventField, eventType);
        foreach (var line in new SseLines(data))
        {
            writer.Field(DataField, line);
        }

        writer.Append("\n"u8);
        return frame;
    }

    /// <summary>Encodes, as a frame of its own, the field that sets the delay before the reader reconnects.</summary>
    public static byte[] EncodeRetry(TimeSpan delay) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {delay.TotalMilliseconds:0}\n\n"));

    private static int FieldLength(ReadOnlySpan<byte> name, string value) =>
        value.Length == 0 ? 0 : name.Length + Encoding.UTF8.GetByteCount(value) + 1;

    private static int DataLength(ReadOnlySpan<byte> data)
    {
        var length = 0;
        foreach (var line in new SseLines(data))
        {
            length += DataField.Length + line.Length + 1;
        }

        return length;
    }

    private ref struct FrameWriter(Span<byte> rest)
    {
        private Span<byte> _rest = rest;

        public void Field(ReadOnlySpan<byte> name, string value)
        {
            if (value.Length == 0)
            {
                return;
            }

            Append(name);
            _rest = _rest[Encoding.UTF8.GetBytes(value, _rest)..];
            Append("\n"u8);
        }

        public void Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            Append(name);
            Append(value);
            Append("\n"u8);
        }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_rest);
            _rest = _rest[bytes.Length..];
        }
    }
}
