using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Perennial;

/// <summary>Options for <see cref="LineTransport"/>. The endpoint is such as <c>tcp://host:port/</c>.</summary>
public sealed record LineTransportOptions : TransportOptions
{
    protected override IReadOnlyList<string> Schemes => ["tcp"];
}

/// <summary>
/// Reads and sends over TCP, one line for each thing that is said. The client begins with <c>read 7</c>, the id after which the stream goes
/// on. Payloads are base64.
/// </summary>
public sealed class LineTransport(LineTransportOptions options, TransportServices? services = null) : Transport("line", options, services)
{
    protected override async ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(options.Endpoint.Host, options.Endpoint.Port, cancellationToken);
            var connection = new LineConnection(client, options.MaxMessageBytes);
            await connection.WriteAsync($"read {context.LastEventId ?? "0"}", cancellationToken);
            await connection.WaitForHelloAsync(cancellationToken);
            return connection;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            client.Dispose();
            throw new TransportException(TransportErrorCode.ConnectFailed, "The server cannot be reached.", isTransient: true, e);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }
}

/// <summary>One TCP connection. The base class has the defaults of a protocol that can do less.</summary>
internal sealed class LineConnection(TcpClient client, int maxMessageBytes) : TransportConnection
{
    private readonly NetworkStream _stream = client.GetStream();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly byte[] _block = new byte[16 * 1024];
    private readonly MemoryStream _line = new();        // what has come of the next line
    private TimeSpan? _heartbeat;

    public override bool AlwaysMarksEnd => true;        // a connection that closes without "end" is a lost one

    public override bool NumbersSends => true;

    public override TimeSpan? LongestSilence => _heartbeat * 3;

    public override async ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken)
    {
        int count;
        try
        {
            count = await _stream.ReadAsync(_block, cancellationToken);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new TransportException(TransportErrorCode.ConnectionLost, "The connection broke off.", isTransient: true, e);
        }

        batch.BytesReceived = count;
        try
        {
            return count == 0 ? ReadOutcome.EndOfStream : Take(_block.AsSpan(0, count), batch);
        }
        catch (FormatException)
        {
            throw NotSpoken();
        }
    }

    /// <summary>An ordinary message, except the one by which the producer says why it failed.</summary>
    public override StreamSignal Classify(in StreamMessage message) => message.EventType is "failed" ? StreamSignal.Failed : StreamSignal.None;

    /// <summary>Tells the server whose messages follow; it answers with "ack" and the last number that it has of this sender.</summary>
    public override ValueTask WriteSenderAsync(string sender, long firstNumber, CancellationToken cancellationToken) =>
        WriteAsync(string.Create(CultureInfo.InvariantCulture, $"sender {sender} {firstNumber}"), cancellationToken);

    public override ValueTask WriteNumberedAsync(OutgoingMessage message, long number, CancellationToken cancellationToken) =>
        WriteAsync(string.Create(CultureInfo.InvariantCulture, $"send {number} {Convert.ToBase64String(message.Data.Span)}"), cancellationToken);

    public override ValueTask StopAsync(CancellationToken cancellationToken) => WriteAsync("stop", cancellationToken);

    public override ValueTask DisposeAsync()
    {
        client.Dispose();       // ends a read and a write, too
        return ValueTask.CompletedTask;
    }

    /// <summary>The server accepts the connection by saying how often it gives a sign of life, in milliseconds.</summary>
    public async Task WaitForHelloAsync(CancellationToken cancellationToken)
    {
        var hello = new List<byte>();
        var one = new byte[1];
        while (hello.Count < 100 && await _stream.ReadAsync(one, cancellationToken) == 1 && one[0] != '\n')
        {
            hello.Add(one[0]);
        }

        _heartbeat = Encoding.ASCII.GetString([.. hello]).Split(' ') is ["hello", var interval] && int.TryParse(interval, CultureInfo.InvariantCulture, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw (hello.Count == 0 ? new IOException("The server hung up.") : NotSpoken());
    }

    public async ValueTask WriteAsync(string line, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await _stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), CancellationToken.None);      // a whole line or a lost connection
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new TransportException(TransportErrorCode.ConnectionLost, "The connection broke off.", isTransient: true, e);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Takes the lines that are complete, and keeps the rest.</summary>
    private ReadOutcome Take(ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        var outcome = ReadOutcome.More;
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            _line.Write(bytes[..end]);
            var line = Encoding.UTF8.GetString(_line.GetBuffer(), 0, (int)_line.Length);
            _line.SetLength(0);
            bytes = bytes[(end + 1)..];
            outcome = Take(line.Split(' '), batch) ?? outcome;
        }

        _line.Write(bytes);
        return _line.Length > (maxMessageBytes * 2L) + 100 ? throw TooLarge() : outcome;
    }

    private ReadOutcome? Take(string[] words, MessageBatch batch)
    {
        switch (words)
        {
            case ["event", var id, var data]:
                var bytes = Convert.FromBase64String(data);
                batch.Add(bytes.Length <= maxMessageBytes ? bytes : throw TooLarge(), Encoding.UTF8.GetBytes(id));
                return null;
            case ["ack", var number]:
                ReportAcknowledged(long.Parse(number, CultureInfo.InvariantCulture));       // also counts as progress
                return null;
            case ["failed", var error]:
                batch.Add(Convert.FromBase64String(error), eventType: "failed");
                return null;
            case ["end", "completed"]:
                return ReadOutcome.Completed;
            case ["end", "stopped"]:
                return ReadOutcome.Stopped;
            case ["alive"]:
                return null;        // any byte is a sign of life
            default:
                throw NotSpoken();
        }
    }

    private TransportException TooLarge() =>
        new(TransportErrorCode.MessageTooLarge, $"A message is larger than MaxMessageBytes ({maxMessageBytes} bytes).");

    private static TransportException NotSpoken() => new(TransportErrorCode.ProtocolViolation, "The server does not speak this protocol.");
}
