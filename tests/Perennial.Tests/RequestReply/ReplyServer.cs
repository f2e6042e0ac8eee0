using System.Globalization;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using Perennial.WebSockets;

namespace Perennial.Tests.RequestReply;

/// <summary>
/// A server that answers requests over real sockets, by every protocol at one address. What it says is a numbered log, told after any
/// <c>Last-Event-ID</c>; over a WebSocket, which numbers nothing, it is told from its beginning.
/// </summary>
internal sealed class ReplyServer : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<string> _log = [];
    private readonly Action<string, Action<string>> _answer;
    private readonly Func<int> _lifetime;
    private readonly ScriptedServer _server;
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts the server.</summary>
    /// <param name="answer">What it says to a request.</param>
    /// <param name="lifetime">How many messages each connection lives; by default, for ever.</param>
    public ReplyServer(Action<string, Action<string>> answer, Func<int>? lifetime = null)
    {
        _answer = answer;
        _lifetime = lifetime ?? (static () => int.MaxValue);
        _server = ScriptedServer.Start(ServeAsync);
    }

    public static TheoryData<string> Protocols => ["sse", "ndjson", "long-poll", "websocket"];

    public int Connections => _server.Requests.Count(static request => request.Method is "GET");

    public Transport Connect(string protocol)
    {
        var endpoint = new Uri(_server.Address, protocol);
        return protocol switch
        {
            "sse" => new SseTransport(new SseTransportOptions { Endpoint = endpoint, Reconnect = Always }),
            "ndjson" => new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = endpoint, Reconnect = Always }),
            "long-poll" =>
                new LongPollTransport(
                    new LongPollTransportOptions { Endpoint = endpoint, Reconnect = Always, Interval = TimeSpan.FromMilliseconds(1) }),
            _ => new WebSocketTransport(new WebSocketTransportOptions { Endpoint = endpoint, Reconnect = Always }),
        };
    }

    public void Say(string text)
    {
        TaskCompletionSource grown;
        lock (_gate)
        {
            _log.Add(text);
            (grown, _grown) = (_grown, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        grown.SetResult();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static ReconnectOptions Always { get; } = TransportProbe.AtOnce with { MaxAttempts = 10_000 };

    private Task ServeAsync(ScriptedExchange exchange)
    {
        if (exchange.Request.Method is "POST")
        {
            _answer(exchange.Request.Text, Say);
            return exchange.RespondAsync(202);
        }

        return exchange.Request.Target switch
        {
            "/sse" => StreamAsync(exchange, isSse: true),
            "/ndjson" => StreamAsync(exchange, isSse: false),
            "/long-poll" => PollAsync(exchange),
            _ => ServerSocket.Script(ConverseAsync)(exchange),
        };
    }

    private async Task StreamAsync(ScriptedExchange exchange, bool isSse)
    {
        await (isSse ? exchange.StartEventStreamAsync(BodyScripts.SpeaksPerennial) : exchange.StartChunkedAsync("application/x-ndjson", BodyScripts.SpeaksPerennial));
        var next = NextOf(exchange);
        for (var left = _lifetime(); left > 0; left--, next++)
        {
            var text = await EntryAsync(next, exchange.Stopping);
            await exchange.WriteChunkAsync(isSse ? $"id: {next + 1}\ndata: {text}\n\n" : Envelope(next, text));
        }

        await exchange.ResetAsync();
    }

    private async Task PollAsync(ScriptedExchange exchange)
    {
        var next = NextOf(exchange);
        await exchange.StartChunkedAsync("application/x-ndjson", BodyScripts.SpeaksPerennial);
        var text = await EntryAsync(next, exchange.Stopping);
        await exchange.WriteChunkAsync(Envelope(next, text));
        if (_lifetime() < 3)
        {
            await exchange.ResetAsync();
            return;
        }

        await exchange.EndChunksAsync();
    }

    private async Task ConverseAsync(ServerSocket socket)
    {
        using var hasLeft = CancellationTokenSource.CreateLinkedTokenSource(socket.Stopping);
        var telling = TellAsync(socket, hasLeft.Token);
        while (await socket.ReceiveAsync() is { Opcode: not 8 } frame)
        {
            _answer(frame.Text, Say);
        }

        await hasLeft.CancelAsync();
        await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TellAsync(ServerSocket socket, CancellationToken hasLeft)
    {
        for (var next = 0; ; next++)
        {
            await socket.SendAsync(Frame.OfText(await EntryAsync(next, hasLeft)));
        }
    }

    private async Task<string> EntryAsync(int index, CancellationToken stopping)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (index < _log.Count)
                {
                    return _log[index];
                }

                grown = _grown.Task;
            }

            await grown.WaitAsync(stopping);
        }
    }

    private static int NextOf(ScriptedExchange exchange) =>
        int.Parse(exchange.Request.Header("Last-Event-ID") ?? "0", CultureInfo.InvariantCulture);

    private static string Envelope(int index, string text) => $$"""{"id":"{{index + 1}}","data":{{text}}}""" + "\n";
}
