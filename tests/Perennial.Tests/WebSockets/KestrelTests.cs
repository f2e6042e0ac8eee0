using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Perennial.Tests.Support;

namespace Perennial.Tests.WebSockets;

/// <summary>The platform's own server as the peer, with and without compression.</summary>
public class KestrelTests
{
    public static TheoryData<bool, bool> Compressions => new() { { false, false }, { true, false }, { false, true }, { true, true } };

    [Theory]
    [MemberData(nameof(Compressions))]
    public async Task Messages_of_any_size_and_kind_come_back(bool clientOffers, bool serverAccepts)
    {
        await using var app = await StartEchoAsync(serverAccepts);
        await using var probe = Sockets.Probe(Sockets.OptionsFor(new Uri(app.Urls.Single())) with { Compression = clientOffers });

        await EchoesAsync(probe);
    }

    [Fact]
    public async Task A_small_message_that_inflates_beyond_the_limit_is_refused()
    {
        await using var app = await StartEchoAsync(acceptsCompression: true);
        await using var probe =
            Sockets.Probe(Sockets.OptionsFor(new Uri(app.Urls.Single())) with { Compression = true, MaxMessageBytes = 1_000_000 });
        await probe.Transport.SendAsync(new byte[1_000_001], probe.Token);

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.MessageTooLarge);
    }

    /// <summary>Sends messages of every size to a peer that returns each as it came, and ends with a close.</summary>
    internal static async Task EchoesAsync(TransportProbe probe)
    {
        var random = new Random(4);
        List<(bool IsBinary, byte[] Data)> sent = [];
        foreach (var size in (int[])[0, 1, 125, 126, 65535, 65536, 1_000_000])
        {
            var noise = new byte[size];
            random.NextBytes(noise);
            sent.Add((true, noise));
            sent.Add((false, [.. Enumerable.Range(0, size).Select(static i => (byte)('a' + (i * i % 26)))]));
        }

        foreach (var (isBinary, data) in sent)
        {
            await (isBinary ? probe.Transport.SendAsync(data, probe.Token) : probe.Transport.SendAsync(System.Text.Encoding.ASCII.GetString(data), probe.Token));
        }

        await probe.Transport.SendAsync("bye", probe.Token);

        var received = await probe.ReadToEndAsync();
        received.Count.ShouldBe(sent.Count);
        for (var i = 0; i < sent.Count; i++)
        {
            received[i].IsBinary.ShouldBe(sent[i].IsBinary, $"message {i}");
            received[i].Data.Span.SequenceEqual(sent[i].Data).ShouldBeTrue($"message {i}");
        }

        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    private static async Task<WebApplication> StartEchoAsync(bool acceptsCompression)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync(
                new WebSocketAcceptContext { DangerousEnableCompression = acceptsCompression });
            await EchoAsync(socket, context.RequestAborted);
        });
        await app.StartAsync();
        return app;
    }

    private static async Task EchoAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var block = new byte[10_000];
        while (true)
        {
            var result = await socket.ReceiveAsync(block.AsMemory(), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close || block.AsSpan(0, result.Count).SequenceEqual("bye"u8))
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
                return;
            }

            await socket.SendAsync(block.AsMemory(0, result.Count), result.MessageType, result.EndOfMessage, cancellationToken);
        }
    }
}
