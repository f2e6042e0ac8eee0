using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;
using Perennial.Http;
using Perennial.Sse;
using Perennial.HttpStreams;
using Perennial.Testing;

namespace Perennial.Chats.Tests.Support;

/// <summary>
/// A Perennial application in front of a provider: each POST becomes a run of the provider's events, as a gateway makes it.
/// </summary>
internal static class RelayServer
{
    /// <param name="provider">The provider.</param>
    /// <param name="hasDialect">Whether the run has the provider's dialect; if not, it is a plain run of events.</param>
    public static Task<ChatServer> StartAsync(ProviderServer provider, bool hasDialect) => StartAsync(_ => provider, hasDialect);

    /// <param name="providerOf">The provider, by the first segment of the path.</param>
    /// <param name="hasDialect">Whether the runs have the provider's dialect; if not, they are plain runs of events.</param>
    public static Task<ChatServer> StartAsync(Func<string, ProviderServer> providerOf, bool hasDialect) =>
        ChatServer.StartAsync(app => app.MapPost("/{**path}", async (string path, HttpRequest request, StreamRuns runs) =>
    {
        var provider = providerOf(path.Split('/')[0]);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        var prompt = new RequestBody { Content = body.ToArray(), MediaType = "application/json" };
        return runs.Start(
            (writer, stop) => RelayAsync(provider, prompt, writer, stop),
            new RunOptions { Dialect = hasDialect ? provider.Dialect : null });
    }));

    private static async Task RelayAsync(ProviderServer provider, RequestBody prompt, RunWriter writer, CancellationToken stop)
    {
        await using Transport transport = provider.Dialect.Framing == DialectFraming.JsonLines
            ? new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = provider.Endpoint, Body = prompt })
            : new SseTransport(new SseTransportOptions { Endpoint = provider.Endpoint, Body = prompt });
        await foreach (var message in transport.ReadAllAsync(stop))
        {
            await writer.WriteAsync(
                message.Data,
                string.Equals(message.EventType, StreamMessage.DefaultEventType, StringComparison.Ordinal) ? null : message.EventType,
                stop);
        }
    }
}
