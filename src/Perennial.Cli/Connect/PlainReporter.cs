using System.Buffers;
using Perennial.Cli.Terminal;
using static System.FormattableString;

namespace Perennial.Cli.Connect;

/// <summary>Prints each message as a line on stdout, plain text as it arrives, and other events as short lines on stderr.</summary>
internal sealed class PlainReporter(StandardOutput output, bool isVerbose) : IReporter
{
    private readonly ArrayBufferWriter<byte> _line = new();

    public void Message(StreamMessage message)
    {
        _line.ResetWrittenCount();
        _line.Write(message.Data.Span);
        if (!message.IsChunk)
        {
            _line.Write("\n"u8);
        }

        output.Write(_line.WrittenSpan);
    }

    public void Event(object happened)
    {
        if (Words(happened) is { } words)
        {
            ErrorLine.Write(words);
        }
    }

    private string? Words(object happened) => happened switch
    {
        ConnectingEvent => "connecting",
        ConnectedEvent => "connected",
        ReconnectingEvent e => Invariant(
            $"reconnecting in {e.Delay.TotalSeconds:0.###} s, attempt {e.Attempt} of {e.MaxAttempts}"),
        ErrorEvent { IsRecoverable: true } e => Words(e.Exception),
        ErrorEvent e => $"failed: {Words(e.Exception)}",
        DroppedEvent e => Invariant($"{e.Count} messages dropped: the output is too slow"),
        GapEvent { Reason: GapReason.AnnouncedByServer } => "messages are missing: the server cannot resume at the requested message",
        GapEvent => "messages may be missing or repeated: the server does not number them",
        CompletedEvent { End.Reason: StreamEndReason.Stopped } => "stopped",
        CompletedEvent => "completed",
        BackpressureEvent e when isVerbose => Invariant($"{e.Size} of {e.Capacity} messages wait for the output"),
        DrainedEvent when isVerbose => "the output has caught up",
        _ => null,
    };

    private static string Words(TransportException error) => (error.ServerMessage, error.ServerCode) switch
    {
        (null, null) => error.Message,
        (null, var code) => $"{error.Message} Server: {code}",
        (var message, null) => $"{error.Message} Server: {message}",
        var (message, code) => $"{error.Message} Server: {message} ({code})",
    };
}
