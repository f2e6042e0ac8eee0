using System.Buffers;
using System.Text;
using System.Text.Json;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>
/// Splits the bytes of a body into events (HTML standard, section 9.2.6) or lines, as they come, and shows each to a watch. Stops watching
/// at an event that is larger than 16 MiB. Used by one reader.
/// </summary>
/// <param name="form">The form of the body.</param>
internal sealed class EventSplitter(StreamForm form)
{
    private const int LargestEvent = 16 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly ArrayBufferWriter<byte> _data = new();
    private StreamForm _form = form;
    private string? _eventType;
    private bool _hasData;
    private bool _skipsLineFeed;        // the line before ended with CR

    /// <summary>Whether the body is no longer watched, so that nothing can be said about its end.</summary>
    public bool HasGivenUp { get; private set; }

    /// <summary>Shows the events that the bytes complete.</summary>
    public void Add(ReadOnlySpan<byte> bytes, AnswerWatch watch)
    {
        while (!bytes.IsEmpty && !HasGivenUp)
        {
            if (_skipsLineFeed && bytes[0] == (byte)'\n')
            {
                bytes = bytes[1..];
                _skipsLineFeed = false;
                continue;
            }

            _skipsLineFeed = false;
            var end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
            _line.Write(end < 0 ? bytes : bytes[..end]);
            HasGivenUp = _line.WrittenCount + _data.WrittenCount > LargestEvent;
            if (end < 0)
            {
                return;
            }

            _skipsLineFeed = bytes[end] == (byte)'\r';
            bytes = bytes[(end + 1)..];
            EndLine(watch);
        }
    }

    /// <summary>
    /// Shows what the end of the body completes, because some servers leave out the last line ends. Half an event is not shown: its name
    /// alone could look like the end.
    /// </summary>
    public void End(AnswerWatch watch)
    {
        EndLine(watch);
        _hasData = _hasData && IsComplete(_data.WrittenSpan);
        Dispatch(watch);
    }

    private static bool IsComplete(ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual(ControlData.Done))
        {
            return true;
        }

        try
        {
            var reader = new Utf8JsonReader(data);
            return reader.Read() && reader.TrySkip();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void EndLine(AnswerWatch watch)
    {
        var line = _line.WrittenSpan;
        if (_form == StreamForm.Unknown && !line.IsEmpty)
        {
            _form = line.TrimStart(" \t"u8).StartsWith("{"u8) ? StreamForm.Lines : StreamForm.Events;
        }

        if (_form == StreamForm.Lines)
        {
            if (!line.IsEmpty)
            {
                watch.Observe(null, line.Trim(" \t"u8));
            }
        }
        else if (line.IsEmpty)
        {
            Dispatch(watch);
        }
        else
        {
            ReadField(line);
        }

        _line.ResetWrittenCount();
    }

    private void ReadField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        var name = colon < 0 ? line : line[..colon];
        var value = colon < 0 ? default : line[(colon + 1)..];
        value = value.StartsWith(" "u8) ? value[1..] : value;
        if (name.SequenceEqual("data"u8))
        {
            if (_hasData)
            {
                _data.Write("\n"u8);
            }

            _data.Write(value);
            _hasData = true;
        }
        else if (name.SequenceEqual("event"u8))
        {
            _eventType = value.IsEmpty ? null : Encoding.UTF8.GetString(value);
        }
        else if (name.StartsWith("{"u8) && !_hasData)
        {
            _data.Write(line);          // Gemini's error is a bare JSON document among events
            _hasData = true;
        }
    }

    private void Dispatch(AnswerWatch watch)
    {
        if (_hasData)
        {
            watch.Observe(_eventType, _data.WrittenSpan);
        }

        _data.ResetWrittenCount();
        _hasData = false;
        _eventType = null;
    }
}
