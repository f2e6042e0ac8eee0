using System.Net.WebSockets;
using System.Text;

namespace Perennial.AspNetCore.Tests.WebSockets;

/// <summary>The platform's own WebSocket as the peer: every message is in the hands of the test.</summary>
internal sealed class SocketClient : IAsyncDisposable
{
    public const string Perennial = "perennial.v1";

    private readonly ClientWebSocket _socket = new();

    private SocketClient()
    {
    }

    public string? SubProtocol => _socket.SubProtocol;

    public WebSocketState State => _socket.State;

    public int? CloseCode => (int?)_socket.CloseStatus;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    /// <summary>Opens a socket that speaks perennial.v1, unless told otherwise.</summary>
    public static async Task<SocketClient> OpenAsync(
        RunServer server,
        StreamRun run,
        string? lastEventId = null,
        string? query = null,
        string[]? protocols = null,
        Action<ClientWebSocketOptions>? configure = null)
    {
        var client = new SocketClient();
        foreach (var protocol in protocols ?? [Perennial])
        {
            client._socket.Options.AddSubProtocol(protocol);
        }

        if (lastEventId is not null)
        {
            client._socket.Options.SetRequestHeader("Last-Event-ID", lastEventId);
        }

        client._socket.Options.CollectHttpResponseDetails = true;
        configure?.Invoke(client._socket.Options);
        var uri = new UriBuilder(new Uri(server.Address, RunServer.PathOf(run))) { Scheme = "ws", Query = query };
        try
        {
            await client._socket.ConnectAsync(uri.Uri, TestEnds);
        }
        catch
        {
            client.HttpStatus = (int)client._socket.HttpStatusCode;
            throw;
        }

        return client;
    }

    /// <summary>Opens a socket and reads the hello.</summary>
    public static async Task<SocketClient> GreetedAsync(RunServer server, StreamRun run, string? lastEventId = null)
    {
        var client = await OpenAsync(server, run, lastEventId);
        (await client.ReceiveAsync()).ShouldNotBeNull().ShouldStartWith("{\"type\":\"perennial.hello\"");
        return client;
    }

    public int HttpStatus { get; private set; }

    public string? Header(string name) =>
        _socket.HttpResponseHeaders!.TryGetValue(name, out var values) ? string.Join(',', values) : null;

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task SendAsync(byte[] bytes, WebSocketMessageType type, bool isWhole = true) =>
        _socket.SendAsync(bytes, type, isWhole, TestEnds);

    /// <summary>Names the sender, and reads the answer.</summary>
    public async Task NameAsync(string sender, long next, long received)
    {
        await SendAsync($$$"""{"type":"perennial.sender","data":{"id":"{{{sender}}}","next":{{{next}}}}}""");
        (await ReceiveAsync()).ShouldBe(Ack(received));
    }

    public Task SendNumberedAsync(long number, string json) => SendAsync($$"""{"type":"perennial.send","number":{{number}},"data":{{json}}}""");

    public static string Ack(long received) => $$$"""{"type":"perennial.ack","data":{"received":{{{received}}}}}""";

    /// <summary>Reads acknowledgements until one says this number; they rise.</summary>
    public async Task AcknowledgedAsync(long received)
    {
        var last = 0L;
        while (last < received)
        {
            var text = (await ReceiveAsync()).ShouldNotBeNull();
            var value = long.Parse(text.AsSpan(text.LastIndexOf(':') + 1).TrimEnd('}'), System.Globalization.CultureInfo.InvariantCulture);
            text.ShouldBe(Ack(value));
            value.ShouldBeGreaterThan(last);
            last = value;
        }

        last.ShouldBe(received);
    }

    /// <summary>The next message, or null where the server said goodbye; <see cref="CloseCode"/> tells how.</summary>
    public async Task<string?> ReceiveAsync() => (await ReceiveMessageAsync())?.Text;

    /// <inheritdoc cref="ReceiveAsync"/>
    public async Task<(string Text, bool IsBinary)?> ReceiveMessageAsync()
    {
        var message = new MemoryStream();
        var block = new byte[16 * 1024];
        while (true)
        {
            var received = await _socket.ReceiveAsync(block.AsMemory(), TestEnds);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            message.Write(block, 0, received.Count);
            if (received.EndOfMessage)
            {
                return (Encoding.UTF8.GetString(message.ToArray()), received.MessageType == WebSocketMessageType.Binary);
            }
        }
    }

    /// <summary>Everything up to the goodbye.</summary>
    public async Task<List<string>> ReadToEndAsync()
    {
        List<string> messages = [];
        while (await ReceiveAsync() is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>Reads over everything up to the goodbye, and returns its code.</summary>
    public async Task<int?> ReadToCloseAsync()
    {
        await ReadToEndAsync();
        return CloseCode;
    }

    public Task CloseAsync() => _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestEnds);

    public void Abort() => _socket.Abort();

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
