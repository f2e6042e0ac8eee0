using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// Readers in a process of their own that cost next to nothing, so that the server is what is measured: bare sockets, read one after the
/// other by one thread. It asks the server for events and reads until every reader has them, then asks for the next. Where CPU time is
/// measured it never sleeps on a socket: to wake it would cost the servers, and more or less by the order in which they serve their
/// readers.
/// </summary>
internal sealed class Counting : IDisposable
{
    public const string Sse = "sse";
    public const string WebSocket = "websocket";

    private const int Patience = 60_000;    // ms that a reader waits for what it is due

    private readonly List<Socket> _idle = [];
    private readonly List<Socket> _busy = [];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Socket _control = new(SocketType.Stream, ProtocolType.Tcp);

    /// <summary>
    /// Answers <c>idle|busy COUNT FORM URL</c>, <c>control PORT</c>, <c>go STEPS EVENTS</c> (seconds) and <c>latency STEPS INTERVAL</c>
    /// (p50 and p99 in ms).
    /// </summary>
    public static void Run()
    {
        using var counting = new Counting();
        while (Console.In.ReadLine() is { } line)
        {
            Console.WriteLine(counting.Answer(line.Split(' ')));
        }
    }

    public void Dispose()
    {
        _control.Dispose();
        foreach (var reader in _idle.Concat(_busy))
        {
            reader.Dispose();
        }
    }

    private string Answer(string[] words)
    {
        switch (words)
        {
            case ["idle", var count, var form, var uri]:
                Open(_idle, Number(count), form, new Uri(uri));
                return "done";
            case ["busy", var count, var form, var uri]:
                Open(_busy, Number(count), form, new Uri(uri));
                return "done";
            case ["control", var port]:
                _control.NoDelay = true;
                _control.Connect(IPAddress.Loopback, Number(port));
                return "done";
            case ["go", var steps, var events]:
                return Go(Number(steps), (byte)Number(events)).TotalSeconds.ToString("R", CultureInfo.InvariantCulture);
            case ["latency", var steps, var interval]:
                var times = Latency(Number(steps), TimeSpan.FromMilliseconds(Number(interval)));
                return string.Create(CultureInfo.InvariantCulture, $"{At(times, 0.5)} {At(times, 0.99)}");
            default:
                throw new ArgumentException($"'{string.Join(' ', words)}' is not understood.", nameof(words));
        }

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

        static double At(List<TimeSpan> times, double share) => times[(int)(times.Count * share)].TotalMilliseconds;
    }

    private TimeSpan Go(int steps, byte events)
    {
        _busy.ForEach(reader => reader.Blocking = false);
        var start = Stopwatch.GetTimestamp();
        for (var step = 0; step < steps; step++)
        {
            Step(events, times: null);
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        _busy.ForEach(reader => reader.Blocking = true);
        return elapsed;
    }

    private void Open(List<Socket> readers, int count, string form, Uri uri)
    {
        var request = Encoding.ASCII.GetBytes(Request(form, uri));
        for (var n = 0; n < count; n++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = Patience };
            socket.Connect(IPAddress.Loopback, uri.Port);
            socket.Send(request);
            readers.Add(socket);
            // The head and what comes with it: readers are there when their server has begun to answer them.
            if (socket.Receive(_buffer) == 0)
            {
                throw new InvalidOperationException("The server closed a connection.");
            }
        }
    }

    private static string Request(string form, Uri uri) => string.Equals(form, WebSocket, StringComparison.Ordinal)
        ? $"GET {uri.AbsolutePath} HTTP/1.1\r\nHost: {uri.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: perennial.v1\r\n\r\n"
        : $"GET {uri.AbsolutePath} HTTP/1.1\r\nHost: {uri.Authority}\r\nAccept: text/event-stream\r\n\r\n";

    /// <summary>Asks for events and reads until all readers have them. Where times are taken it is one event.</summary>
    private void Step(byte events, List<TimeSpan>? times)
    {
        _control.Send([events]);
        foreach (var reader in _busy)
        {
            for (var missing = (int)events; missing > 0;)
            {
                var read = Receive(reader);
                var bytes = _buffer.AsSpan(0, read);
                missing -= bytes.Count(Token.Sign);
                if (missing == 0)
                {
                    times?.Add(Stopwatch.GetElapsedTime(TimeIn(bytes)));
                }
            }
        }
    }

    private int Receive(Socket reader)
    {
        var since = Stopwatch.GetTimestamp();
        int read;
        SocketError error;
        while ((read = reader.Receive(_buffer, 0, _buffer.Length, SocketFlags.None, out error)) == 0 && error == SocketError.WouldBlock
            && Stopwatch.GetElapsedTime(since).TotalMilliseconds < Patience)
        {
            // some microseconds: looking without a pause would hold the lock of the socket that is to be written to
            Thread.SpinWait(2000);
        }

        return read > 0 ? read : throw new InvalidOperationException($"A connection brought nothing: {error}.");
    }

    private static long TimeIn(ReadOnlySpan<byte> bytes) =>
        long.Parse(bytes[..bytes.LastIndexOf(Token.Sign)][^Token.TimeDigits..], NumberStyles.None, CultureInfo.InvariantCulture);

    private List<TimeSpan> Latency(int steps, TimeSpan interval)
    {
        var times = new List<TimeSpan>();
        var next = Stopwatch.GetTimestamp();
        for (var step = 0; step < steps; step++)
        {
            Step(1, times);
            next += (long)(interval.TotalSeconds * Stopwatch.Frequency);
            var rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), next);
            if (rest > TimeSpan.Zero)
            {
                Task.Delay(rest, TimeProvider.System).Wait();
            }
        }

        times.Sort();
        return times;
    }
}
