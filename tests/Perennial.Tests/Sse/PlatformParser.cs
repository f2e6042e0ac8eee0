using System.Net.ServerSentEvents;
using System.Text;

namespace Perennial.Tests.Sse;

/// <summary>The platform's parser as an oracle.</summary>
internal static class PlatformParser
{
    public static StreamReading Read(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        var parser = SseParser.Create(stream, static (_, data) => Encoding.UTF8.GetString(data));
        var messages = new List<ReadMessage>();
        foreach (var item in parser.Enumerate())
        {
            messages.Add(new ReadMessage(SseDocument.NullIfEmpty(parser.LastEventId), item.EventType, item.Data));
        }

        return new StreamReading(
            messages,
            SseDocument.NullIfEmpty(parser.LastEventId),
            parser.ReconnectionInterval == Timeout.InfiniteTimeSpan ? null : parser.ReconnectionInterval.TotalMilliseconds);
    }
}
