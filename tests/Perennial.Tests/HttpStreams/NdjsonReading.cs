using System.Net;
using Perennial.Engine;
using Perennial.Http;
using Perennial.HttpStreams;

namespace Perennial.Tests.HttpStreams;

/// <summary>What a connection and the transport above it make of a body of JSON lines, written down so that it can be compared.</summary>
internal static class NdjsonReading
{
    /// <summary>Reads a body that comes in pieces, cut at the given positions, and in the end breaks off or not.</summary>
    public static async Task<string> OfAsync(byte[] body, int[] cuts, bool isPerennial = false, bool isCut = false)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.OK);
        if (isPerennial)
        {
            response.Headers.Add("Perennial-Protocol", "1");
        }

        var options = new HttpStreamTransportOptions { Endpoint = new Uri("http://body.test/"), MaxMessageBytes = 1024 * 1024 };
        using var http = new HttpExchange(options, accept: null, new TransportServices());
        await using var connection = new HttpStreamConnection(response, new Pieces(body, cuts, isCut), http, options, new ConnectContext
        {
            Attempt = 0,
            LastEventId = null,
            HasDelivered = false,
        });
        var reading = new Tally();
        try
        {
            ReadOutcome outcome;
            do
            {
                var batch = new MessageBatch();
                outcome = await connection.ReadAsync(batch, CancellationToken.None);
                reading.Take(connection, batch);
            }
            while (outcome == ReadOutcome.More && reading.Outcome is null);
        }
        catch (TransportException e) when (e.Code == TransportErrorCode.ConnectionLost)
        {
            reading.Outcome = "lost";
        }

        return reading.ToString();
    }

    public static string Message(string? id, string type, string data, bool isBinary) =>
        $"{id ?? "-"} {type}{(isBinary ? " binary" : "")}: {data}";

    public static string Summary(IEnumerable<string> messages, int malformed, int errors, string outcome, string? cursor) =>
        $"{string.Concat(messages.Select(static message => message + "\n"))}{malformed} malformed, {errors} errors, {outcome}, resumes after {cursor ?? "nothing"}";

    /// <summary>Counts as the pump does.</summary>
    private sealed class Tally
    {
        private readonly List<string> _messages = [];
        private readonly ResumeCursor _cursor = new(null, isExact: true, new Lock());
        private int _malformed;
        private int _errors;

        public string? Outcome { get; set; }

        public void Take(HttpStreamConnection connection, MessageBatch batch)
        {
            for (var i = 0; i < batch.Count && Outcome is null; i++)
            {
                MoveCursorBefore(i, batch);
                var isMalformed = batch.Messages[i].IsMalformed;        // the pump does not ask the connection then
                Take(isMalformed ? StreamSignal.Malformed : connection.Classify(in batch.Messages[i]), in batch.Messages[i]);
            }

            if (Outcome is null)
            {
                MoveCursorBefore(batch.Count, batch);
            }
        }

        public override string ToString() => Summary(_messages, _malformed, _errors, Outcome ?? "end", _cursor.Value);

        private void MoveCursorBefore(int index, MessageBatch batch)
        {
            if (batch.HasCursor && batch.CursorIndex == index)
            {
                _cursor.MoveTo(batch.Cursor);
            }
        }

        private void Take(StreamSignal signal, in StreamMessage message)
        {
            if (signal is StreamSignal.None or StreamSignal.Error or StreamSignal.DeliveredThenCompleted)
            {
                _messages.Add(
                    Message(
                        message.Id,
                        message.EventType,
                        message.IsBinary ? Convert.ToBase64String(message.Data.Span) : message.Text,
                        message.IsBinary));
            }

            if (message.MovesCursor)
            {
                _cursor.MoveTo(message.IdUtf8);
            }

            _malformed += signal == StreamSignal.Malformed ? 1 : 0;
            _errors += signal == StreamSignal.Error ? 1 : 0;
            Outcome = signal switch
            {
                StreamSignal.Completed or StreamSignal.DeliveredThenCompleted => "completed",
                StreamSignal.Stopped => "stopped",
                StreamSignal.Failed => "failed",
                _ => null,
            };
        }
    }

    /// <summary>A body whose every read yields one piece at most.</summary>
    private sealed class Pieces(byte[] body, int[] cuts, bool isCut) : MemoryStream(body)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (isCut && Position == Length && buffer.Length > 0)
            {
                throw new IOException("cut");
            }

            var end = cuts.FirstOrDefault(cut => cut > Position, (int)Length);
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, end - (int)Position)], cancellationToken);
        }
    }
}
