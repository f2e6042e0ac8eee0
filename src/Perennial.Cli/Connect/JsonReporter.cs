using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Perennial.Cli.Terminal;

namespace Perennial.Cli.Connect;

/// <summary>
/// Prints one JSON object per line for every event, on stdout. Names, order and spelling are an interface: programs read them.
/// </summary>
internal sealed class JsonReporter(StandardOutput output) : IReporter
{
    private readonly ArrayBufferWriter<byte> _line = new();

    // Text stays readable; a line of output is not a page of HTML.
    private readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Message(StreamMessage message) => Write("message", json =>
    {
        json.WriteString("id", message.Id);
        json.WriteString("type", message.EventType);
        if (message.IsBinary || (message.IsChunk && !Utf8.IsValid(message.Data.Span)))
        {
            json.WriteBoolean("binary", true);
            json.WriteBase64String("data", message.Data.Span);
        }
        else
        {
            json.WriteString("data", message.Text);
        }
    });

    public void Event(object happened)
    {
        switch (happened)
        {
            case ConnectingEvent:
                Write("connecting");
                break;
            case ConnectedEvent:
                Write("connected");
                break;
            case ReconnectingEvent e:
                Write("reconnecting", json => WriteMembers(json, e));
                break;
            case ErrorEvent e:
                Write("error", json => WriteMembers(json, e));
                break;
            case BackpressureEvent e:
                Write("backpressure", json => WriteMembers(json, e));
                break;
            case DrainedEvent:
                Write("drain");
                break;
            case DroppedEvent e:
                Write("dropped", json => json.WriteNumber("count", e.Count));
                break;
            case GapEvent e:
                Write("gap", json => WriteMembers(json, e));
                break;
            case CompletedEvent e:
                Write("done", json => json.WriteString("reason", CamelCase(e.End.Reason)));
                break;
            case ClosedEvent:
                Write("closed");
                break;
        }
    }

    private static void WriteMembers(Utf8JsonWriter json, ReconnectingEvent e)
    {
        json.WriteNumber("attempt", e.Attempt);
        json.WriteNumber("delayMs", (long)Math.Round(e.Delay.TotalMilliseconds));
    }

    private static void WriteMembers(Utf8JsonWriter json, ErrorEvent e)
    {
        json.WriteString("message", e.Exception.Message);
        json.WriteString("code", CamelCase(e.Code));
        WriteCause(json, e.Exception);
        json.WriteBoolean("recoverable", e.IsRecoverable);
    }

    private static void WriteMembers(Utf8JsonWriter json, BackpressureEvent e)
    {
        json.WriteNumber("size", e.Size);
        json.WriteNumber("limit", e.Capacity);
        json.WriteNumber("mark", e.Mark);
    }

    private static void WriteMembers(Utf8JsonWriter json, GapEvent e)
    {
        json.WriteString("reason", CamelCase(e.Reason));
        json.WriteString("requestedId", e.RequestedId);
        json.WriteString("resumesAt", e.ResumesAt);
    }

    private void Write(string name, Action<Utf8JsonWriter>? writeMembers = null)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, _options))
        {
            json.WriteStartObject();
            json.WriteString("event", name);
            writeMembers?.Invoke(json);
            json.WriteEndObject();
        }

        _line.Write("\n"u8);
        output.Write(_line.WrittenSpan);
    }

    /// <summary>Writes the peer's status, close code, message and code, as far as known.</summary>
    private static void WriteCause(Utf8JsonWriter json, TransportException error)
    {
        if (error.HttpStatus is { } status)
        {
            json.WriteNumber("status", (int)status);
        }

        if (error.CloseCode is { } closeCode)
        {
            json.WriteNumber("closeCode", closeCode);
        }

        if (error.ServerMessage is { } message)
        {
            json.WriteString("serverMessage", message);
        }

        if (error.ServerCode is { } code)
        {
            json.WriteString("serverCode", code);
        }
    }

    private static string CamelCase<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
