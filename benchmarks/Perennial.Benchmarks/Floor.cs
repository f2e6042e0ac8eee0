using System.Net;
using System.Net.WebSockets;

namespace Perennial.Benchmarks;

/// <summary>The platform reading and discarding.</summary>
internal static class Floor
{
    private static readonly HttpClient Http = new();

    public static async Task<long> HttpAsync(Uri uri)
    {
        using var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        long total = 0;
        while (await body.ReadAsync(buffer) is > 0 and var count)
        {
            total += count;
        }

        return total;
    }

    public static async Task<long> LongPollAsync(Uri uri)
    {
        var buffer = new byte[64 * 1024];
        long total = 0;
        while (true)
        {
            using var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
            if (response.StatusCode == HttpStatusCode.NoContent)
            {
                return total;
            }

            using var body = await response.Content.ReadAsStreamAsync();
            while (await body.ReadAsync(buffer) is > 0 and var count)
            {
                total += count;
            }
        }
    }

    public static async Task<long> WebSocketAsync(Uri uri)
    {
        using var socket = await HandRolled.ConnectAsync(uri);
        var buffer = new byte[64 * 1024];
        long total = 0;
        while (await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } received)
        {
            total += received.Count;
        }

        return total;
    }
}
