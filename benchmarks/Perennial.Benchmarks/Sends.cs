using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Perennial.WebSockets;

namespace Perennial.Benchmarks;

/// <summary>
/// One sender over <c>perennial.v1</c> in a process of its own, each message acknowledged by a run. Warms up, then answers each line on its
/// input with the cost of one message.
/// </summary>
internal static class Sends
{
    public const string Floor = "floor";
    public const string Perennial = "perennial";

    private const int Messages = 20_000;
    private const int UnderWay = 64;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly byte[] Payload = Encoding.ASCII.GetBytes(new string('x', 250));

    public static async Task RunAsync(string name, Uri run)
    {
        Func<int, Task> send;
        await using var transport = new WebSocketTransport(run);
        using var socket = new ClientWebSocket();
        if (string.Equals(name, Floor, StringComparison.Ordinal))
        {
            send = await ConnectBareAsync(socket, run);
        }
        else
        {
            await transport.ConnectAsync();
            _ = transport.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync().AsTask();
            send = count => SendAsync(transport, count);
        }

        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < WarmUp)
        {
            await send(Messages / 10);
        }

        while (await Console.In.ReadLineAsync() is not null)
        {
            Console.WriteLine((await SampleAsync(send)).ToLine());
        }
    }

    private static async Task SendAsync(WebSocketTransport transport, int count)
    {
        var underWay = new Queue<Task>();
        for (var n = 0; n < count; n++)
        {
            if (underWay.Count == UnderWay)
            {
                await underWay.Dequeue();
            }

            underWay.Enqueue(transport.SendAsync(Payload));
        }

        await Task.WhenAll(underWay);
    }

    /// <summary>What the platform costs: frames made by hand, and acknowledgements read as far as their number.</summary>
    private static async Task<Func<int, Task>> ConnectBareAsync(ClientWebSocket socket, Uri run)
    {
        socket.Options.AddSubProtocol("perennial.v1");
        await socket.ConnectAsync(new UriBuilder(run) { Scheme = "ws" }.Uri, CancellationToken.None);
        await SendTextAsync(socket, """{"type":"perennial.sender","data":{"id":"AAAAAAAAAAAAAAAAAAAAAA","next":1}}""");
        var (head, tail) = ("""{"type":"perennial.send","number":""", $$""","binary":"{{Convert.ToBase64String(Payload)}}"}""");
        var (last, acknowledged, buffer) = (0L, 0L, new byte[16 * 1024]);
        return async count =>
        {
            for (var n = 0; n < count; n++)
            {
                while (last - acknowledged >= UnderWay)
                {
                    acknowledged = await AcknowledgedAsync(socket, buffer) ?? acknowledged;
                }

                await SendTextAsync(socket, string.Create(CultureInfo.InvariantCulture, $"{head}{++last}{tail}"));
            }

            while (acknowledged < last)
            {
                acknowledged = await AcknowledgedAsync(socket, buffer) ?? acknowledged;
            }
        };
    }

    private static ValueTask SendTextAsync(ClientWebSocket socket, string text) =>
        socket.SendAsync(
            Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);

    private static async Task<long?> AcknowledgedAsync(ClientWebSocket socket, byte[] buffer)
    {
        var result = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        var message = buffer.AsSpan(0, result.Count);
        var at = message.IndexOf("\"received\":"u8);
        if (at < 0)
        {
            return null;
        }

        var digits = message[(at + 11)..];
        return long.Parse(digits[..digits.IndexOf((byte)'}')], CultureInfo.InvariantCulture);
    }

    private static async Task<Sample> SampleAsync(Func<int, Task> send)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        var allocatedBefore = GC.GetTotalAllocatedBytes(precise: true);
        var cpuBefore = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await send(Messages);
        var elapsed = clock.Elapsed;
        process.Refresh();
        var cpu = process.TotalProcessorTime - cpuBefore;
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore;
        return new Sample(cpu.TotalNanoseconds / Messages, (double)allocated / Messages, Messages / elapsed.TotalSeconds);
    }
}
