using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Perennial.Benchmarks.Server;

/// <summary>
/// What sending costs at all: a request is answered with the head of an endless response, and an event is one send for each reader.
/// </summary>
internal sealed class BareSend : IBroadcast
{
    private static readonly byte[] Head =
        Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n:\n\r\n");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _readers = [];
    private long _sent;

    private BareSend()
    {
        _listener.Start(backlog: 4096);
        Origin = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
    }

    public string Origin { get; }

    public string BusyPath => "/busy";

    public string IdlePath => "/idle";

    public static BareSend Start()
    {
        var server = new BareSend();
        new Thread(server.Accept) { IsBackground = true }.Start();
        return server;
    }

    public Task SendAsync(int events)
    {
        var text = new StringBuilder();
        for (var n = 0; n < events; n++)
        {
            var item = string.Create(CultureInfo.InvariantCulture, $"id: abcdefgh-{++_sent}\ndata: {Token.Now()}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"{item.Length:X}\r\n{item}\r\n");
        }

        var bytes = Encoding.ASCII.GetBytes(text.ToString());
        foreach (var reader in _readers)
        {
            reader.Send(bytes);
        }

        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Accept()
    {
        var request = new byte[4096];
        while (true)
        {
            var reader = _listener.AcceptSocket();
            reader.NoDelay = true;
            reader.Receive(request);
            _readers.Add(reader);
            reader.Send(Head);
        }
    }
}
