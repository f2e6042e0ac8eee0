using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Perennial.Sse;

namespace Perennial.Benchmarks;

/// <summary>
/// Many transports in one process. Prints the managed bytes of each, then answers <c>STEPS EVENTS</c> with what messages cost.
/// </summary>
internal sealed class Transports : IDisposable
{
    private readonly Socket _control = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly int _count;
    private int _missing;       // of the messages that were asked for
    private TaskCompletionSource _all = new();

    private Transports(int count) => _count = count;

    public static async Task RunAsync(int count, Uri uri, int control)
    {
        using var transports = new Transports(count);
        await transports._control.ConnectAsync(IPAddress.Loopback, control);
        await transports.OpenAsync(1, uri);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await transports.OpenAsync(count - 1, uri);
        Console.WriteLine(((GC.GetTotalMemory(forceFullCollection: true) - before) / (count - 1)).ToString(CultureInfo.InvariantCulture));
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var numbers = line.Split(' ').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
            Console.WriteLine((await transports.SampleAsync(numbers[0], (byte)numbers[1])).ToLine());
        }
    }

    public void Dispose() => _control.Dispose();

    private async Task OpenAsync(int count, Uri uri)
    {
        for (var n = 0; n < count; n++)
        {
            var transport = new SseTransport(new SseTransportOptions { Endpoint = uri });
            await transport.ConnectAsync();
            _ = ReadAsync(transport);
        }
    }

    private async Task ReadAsync(Transport transport)
    {
        await foreach (var _ in transport.ReadAllAsync())
        {
            if (Interlocked.Decrement(ref _missing) == 0)
            {
                _all.SetResult();
            }
        }
    }

    private async Task<Sample> SampleAsync(int steps, byte events)
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        var (cpu, allocated, start) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
        for (var step = 0; step < steps; step++)
        {
            _all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _missing = _count * events;
            await _control.SendAsync(new[] { events });
            await _all.Task;
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        process.Refresh();
        double messages = (long)steps * events * _count;
        return new Sample(
            (process.TotalProcessorTime - cpu).TotalNanoseconds / messages,
            (GC.GetTotalAllocatedBytes(precise: true) - allocated) / messages,
            messages / elapsed.TotalSeconds);
    }
}
